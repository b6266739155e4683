"""`resbench find-lr` as a user runs it, on drawn pictures at the smallest settings."""

import json
import shlex
from pathlib import Path

import pytest

from resbench.cli.main import call
from resbench.datasets.opening import open_data

RUN = (
    "find-lr cifar_resnet20 --recipe voc_zj2020 --set pictures.resize=144 --set pictures.crop=128 --set train_batch=8 "
    "--steps 12 --set pictures.color_jitter=0"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.getbasetemp() / "find-lr-cache"
    monkeypatch.setenv("RESBENCH_CACHE", str(cache))
    open_data("voc0712", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resbench(line: str) -> int:
    return call(shlex.split(line))


def test_every_step_as_json_and_a_picture(capfd: pytest.CaptureFixture[str]) -> None:
    assert resbench(f"{RUN} --format json --plot rates.svg --first 1e-4 --last 1e-2") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["model"], found["optimizer"], found["batch"], found["recipe"]) == (
        "cifar_resnet20", "adam", 8, 0.001,
    )  # fmt: skip
    rates = [point["rate"] for point in found["points"]]
    assert rates == pytest.approx([1e-4 * 100 ** (index / 11) for index in range(len(rates))])
    assert found["lowest"] in rates
    picture = Path("rates.svg").read_text()
    assert "smoothed" in picture
    assert "learning rate" in picture


def test_the_table_says_what_each_rate_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert resbench(f"{RUN} --first 1e-4 --last 1e-2") == 0
    said = capfd.readouterr().out
    assert "the recipe's own" in said
    assert "Learning rates of cifar_resnet20" in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--first 1 --last 0.1", "must rise"),
        ("--plot rates.pdf", "give a .svg or .png file"),
        ("--plot nowhere/rates.svg", "in a folder that exists"),
        ("--device cuda:9", "is not there"),
        ("--data nowhere", "no folder nowhere"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    options: str, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert resbench(f"{RUN} {options}") == 2
    assert expected in capfd.readouterr().err


def test_too_few_steps(capfd: pytest.CaptureFixture[str]) -> None:
    assert resbench(RUN.replace("--steps 12", "--steps 3")) == 2
    assert "at least 10 steps" in capfd.readouterr().err
