"""The main job as a user runs it, in processes of its own, on the drawn pictures."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "resbench", "run", "--suite", "voc_compare")


def resbench(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options], cwd=folder, capture_output=True, text=True, check=False, env=environment(folder)
    )


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "RESBENCH_CACHE": str(folder / "cache")}


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *options],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder),
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("number", "kill", "workers", "code", "word"),
    [
        (signal.SIGINT, os.killpg, "2", 130, "Ctrl-C"),  # as a terminal does: to every process of the command
        (signal.SIGTERM, os.kill, "0", 143, "SIGTERM"),
    ],
)
def test_stopped_and_run_again_and_once_more(
    tmp_path: Path, number: int, kill: Callable[[int, int], None], workers: str, code: int, word: str
) -> None:
    options = ("--scale", "smoke", "--models", "resnet18_biased")
    with started(tmp_path, *options, "--workers", workers) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 1/" in line:
                break
        kill(process.pid, number)
        said = process.stderr.read().strip().splitlines()
    assert process.returncode == code
    assert [line for line in said if line.strip()][:-1] == [
        "stopping after this step; press Ctrl-C again to end at once"
    ]
    last = said[-1]
    assert word in last
    assert "1 of 2 experiments are stored" in last
    assert "goes on from the last checkpoint" in last

    again = resbench(tmp_path, *options)
    assert again.returncode == 0, again.stderr
    assert again.stdout == "reports/voc_compare.md\n"
    assert "profile of resnet18_biased: in the store" in again.stderr
    assert "goes on after epoch" in again.stderr

    text = (tmp_path / "reports" / "voc_compare.md").read_text()
    assert "Reduced run" in text
    assert "resbench sample (drawn pictures)" in text
    for figure in ("44.607", "3.641", "89.98", "not comparable", "not run"):
        assert figure in text
    assert len((tmp_path / "reports" / "voc_compare.jsonl").read_text().splitlines()) == 3
    for picture in (tmp_path / "reports" / "voc_compare").iterdir():
        assert picture.name in text

    once_more = resbench(tmp_path, *options)
    assert once_more.stderr.count("in the store") == 2
    assert (tmp_path / "reports" / "voc_compare.md").read_text() == text


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--suite", "voc_comprae"), "did you mean voc_compare?"),
        (("--scale", "smok"), "did you mean smoke?"),
        (
            ("--scale", "smoke", "--models", "resnet5"),
            "choose from resnet18_biased, resnet34_biased, resnet50",
        ),
        (("--scale", "smoke", "--device", "gpu"), "did you mean cuda?"),
        (("--scale", "smoke", "--device", "cuda:9"), "'cuda:9' is not there"),
        (("--scale", "smoke", "--data", "nowhere"), "no folder nowhere"),
        (("--scale", "smoke", "--seed", "-1"), "-1"),
        (("--scale", "full"), "give --data DIR"),
        (("--scale", "smoke", "--output", "."), "it is a folder"),
        (("--scale", "smoke", "--output", "/proc/nowhere/report.md"), "cannot write the report"),
        (("--scale", "smoke", "--output", "here.jsonl"), "name the report, as in here.md"),
        (("--scale", "smoke", "--store", "torn.db"), "torn.db"),
        (("--scale", "smoke", "--store", "newer.db"), "newer resbench"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"torn" * 400)
    make_newer_store(tmp_path / "newer.db")
    failed = resbench(tmp_path, *options)
    assert failed.returncode == 2
    assert expected in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert failed.stdout == ""


def make_newer_store(path: Path) -> None:
    """Write a store as this version does, and raise its schema's number."""
    from resbench.store.store import open_store

    with open_store(str(path)):
        pass
    database = sqlite3.connect(path)
    with database:
        assert database.execute("UPDATE resbench_store SET value = value + 6").rowcount == 1
    database.close()
