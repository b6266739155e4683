"""`resbench train` as a user runs it, on drawn pictures at the smallest settings."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from resbench.architectures.naming import find_architecture
from resbench.cli.main import call
from resbench.cli.train_question import seconds_of
from resbench.datasets.opening import open_data
from resbench.errors import UsageError
from resbench.models.build import build
from resbench.results import Result
from resbench.store.store import open_store

RUN = (
    "train cifar_resnet20 --recipe voc_zj2020 --scale smoke --set pictures.resize=144 --set pictures.crop=128 "
    "--set schedule.length=100 --set train_batch=8 --set test_batch=24"
)
"""Crops of 32 at scale smoke, three epochs."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in which the sample is drawn already."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(folder))
        open_data("voc0712", None)
    return folder


@pytest.fixture(autouse=True)
def here(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_CACHE", str(drawn))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resbench(line: str) -> int:
    return call(shlex.split(line))


def stored(path: str = "resbench.db") -> tuple[Result, ...]:
    with open_store(path, create=False) as store:
        return store.results()


def test_a_run_leaves_weights_result_curves_and_report(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    line = f"{RUN} --set train_limit=48 --set test_limit=24 --iterations"
    assert resbench(f"{line} 12 --output out --track tensorboard:events") == 0
    said = capfd.readouterr()
    assert said.out.splitlines()[-1] == "out: weights.safetensors, result.json, curves.svg, report.md"
    assert "train_batch: 8 (published: 96)" in said.err
    assert "epoch 2/2" in said.err
    (result,) = stored()
    assert json.loads((here / "out" / "result.json").read_text())["key"] == result.key
    recipe = result.experiment["recipe"]
    assert recipe["name"] == (
        "voc_zj2020+train_batch=8+test_batch=24+pictures.resize=144+pictures.crop=128+train_limit=48+test_limit=24-smoke~2of3"
    )
    assert recipe["schedule"]["length"] == len(result.epochs) == 2
    report = (here / "out" / "report.md").read_text()
    for part in ("Not comparable with published figures", "| train_batch ", "](curves.svg)", result.key):
        assert part in report
    assert (here / "out" / "curves.svg").read_bytes().count(b"<svg") == 1
    assert len(list((here / "events").rglob("events.out.tfevents*"))) == 1

    weights = load_file(here / "out" / "weights.safetensors")
    model = build(find_architecture("cifar_resnet20"), classes=20)
    model.load_state_dict(weights)
    with safe_open(here / "out" / "weights.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["resbench.model"] == "cifar_resnet20"
    assert len(json.loads(metadata["resbench.classes"])) == 20
    with open_store("resbench.db") as store:
        (recorded,) = store.epochs.runs()
    assert (recorded.key, recorded.epochs, recorded.total) == (result.key, result.epochs, 2)

    assert resbench(f"{line} 12 --output out") == 0  # nothing is trained again, and the weights are kept
    again = capfd.readouterr()
    assert "in the store since" in again.err
    assert "weights.safetensors" in again.out
    assert resbench(f"{line} 12 --output elsewhere") == 0
    assert "which keeps none" in capfd.readouterr().err


def test_a_run_with_an_average_leaves_both_and_evaluate_tells_them_apart(
    capfd: pytest.CaptureFixture[str],
) -> None:
    line = f"{RUN} --set train_limit=16 --set test_limit=8 --set ema=0.5 --iterations 2 --output out"
    assert resbench(line) == 0
    assert "out: weights.safetensors, weights_unaveraged.safetensors, result.json" in capfd.readouterr().out
    averaged, last = load_file("out/weights.safetensors"), load_file("out/weights_unaveraged.safetensors")
    assert averaged.keys() == last.keys()
    assert any((averaged[name] != last[name]).any() for name in last)
    test = (
        "evaluate cifar_resnet20 --weights out --data sample --views center --resize 36 --crop 32 --limit 4"
    )
    for choice, file in (("", "weights"), ("--ema", "weights"), ("--no-ema", "weights_unaveraged")):
        assert resbench(f"{test} {choice} --format json") == 0
        told = json.loads(capfd.readouterr().out)["weights"]
        assert f"in out/{file}.safetensors, SHA-256" in told
        assert ("(EMA)" in told) is (choice != "--no-ema")


def test_killed_and_run_again_it_ends_as_if_it_had_not_been(here: Path) -> None:
    """Killed in its second epoch; the weights are those of a run that was left alone."""
    line = f"{RUN} --set train_limit=48 --set test_limit=24 --output out"
    command = [sys.executable, "-m", "resbench", *shlex.split(line)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=here, env=os.environ) as process:
        assert process.stderr is not None
        for said in process.stderr:
            if "epoch 1/" in said:
                break
        process.send_signal(signal.SIGKILL)
    with open_store("resbench.db", create=False) as store:
        (under_way,) = store.epochs.runs()
        assert store.results() == ()
    assert under_way.total == 3
    assert [epoch.number for epoch in under_way.epochs] == [1]
    assert resbench(line) == 0
    assert resbench(f"{line.replace('--output out', '--output whole')} --store whole.db") == 0
    first, second = load_file("out/weights.safetensors"), load_file("whole/weights.safetensors")
    assert all((first[name] == second[name]).all() for name in second)
    assert stored()[0].key == stored("whole.db")[0].key


def test_a_time_is_planned_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A time that all of it fits into leaves the recipe whole; the second time nothing is measured."""
    line = f"{RUN} --set train_limit=8 --set schedule.length=34 --time-budget 2h"
    line = line.replace("--set schedule.length=100 ", "")
    assert resbench(line) == 0
    assert "a step takes" in capfd.readouterr().err
    assert resbench(line) == 0
    assert "as decided when this time was asked for first" in capfd.readouterr().err
    (result,) = stored()
    assert result.experiment["recipe"]["schedule"]["length"] == 1


def test_one_batch_by_heart(capfd: pytest.CaptureFixture[str]) -> None:
    line = f"{RUN} --overfit-one-batch --iterations"
    assert resbench(f"{line} 60") == 0
    assert "knows one batch of 8 by heart after" in capfd.readouterr().out
    assert resbench(f"{line} 1") == 1
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert "can't learn one batch of 8 by heart: the loss is" in said
    assert not Path("resbench.db").exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (RUN.replace("cifar_resnet20", "cifar_resnet21"), "did you mean"),
        (RUN.replace("voc_zj2020", "voc_zj2021"), "did you mean voc_zj2020?"),
        (RUN.replace("smoke", "full"), "give --data DIR"),
        (RUN.replace("smoke", "smokey"), "unknown scale 'smokey'"),
        (f"{RUN} --data nowhere", "no folder nowhere"),
        (
            f"{RUN} --set lr=1 --set pictures.flip=maybe",
            "did you mean optimizer.lr?; pictures.flip takes true",
        ),
        (RUN.replace("cifar_resnet20", "vgg16").replace("crop=128", "crop=64"), "too small for vgg16"),
        (f"{RUN} --device gpu", "did you mean cuda?"),
        (f"{RUN} --device cuda:9", "'cuda:9' is not there"),
        (f"{RUN} --precision fp31", "did you mean fp32 or"),
        (f"{RUN} --feed resdent", "did you mean resident?"),
        (f"{RUN} --memory-format last", "unknown memory format 'last'"),
        (f"{RUN} --cuda-graph", "needs a CUDA device"),
        (f"{RUN} --iterations 35", "counts epochs of 36 iterations, and 35 fill none"),
        (f"{RUN} --iterations 1000000", "has 108 iterations on these data"),
        (f"{RUN} --iterations 72 --time-budget 1m", "give one of them"),
        (f"{RUN} --devices cpu,cpu", "is no GPU by its number"),
        (f"{RUN} --time-budget soon", "is no time: write 90s, 30m or 1h30m"),
        (f"{RUN} --track tensorbord", "did you mean tensorboard?"),
        (f"{RUN} --output /proc/nowhere", "cannot write to /proc/nowhere"),
        (f"{RUN} --overfit-one-batch --output out", "leave out --track and --output"),
        (f"{RUN} --overfit-one-batch --precision fp16", "fp16"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    line: str, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert resbench(line) == 2
    said = capfd.readouterr()
    assert expected in said.err
    assert said.err.splitlines()[-1].startswith("resbench: ")
    assert said.out == ""


def test_times() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "30m", "1h30m", "1.5h", "1d")] == [
        90, 90, 1800, 5400, 5400, 86400,
    ]  # fmt: skip
    for text in ("", "h", "30 m", "-5m", "0s", "5x"):
        with pytest.raises(UsageError):
            seconds_of(text)


def test_real_pictures(real_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = (
        f"train cifar_resnet20 --recipe he2015_cifar --data {shlex.quote(str(real_data))} --iterations 3 --set train_batch=16 "
        "--set train_limit=48 --set test_limit=32 --set test_batch=16"
    )
    assert resbench(line) == 0
    (result,) = stored()
    assert result.experiment["data"]["official"]
    assert result.experiment["recipe"]["schedule"]["milestones"] == [2, 2]
    assert "top-1" in capfd.readouterr().out
