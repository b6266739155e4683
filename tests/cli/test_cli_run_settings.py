"""`resbench run` with fields of the recipe set otherwise, on the drawn CIFAR pictures, in this process."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from resbench.cli.main import call

TINY = (
    "--set", "pictures.resize=16", "--set", "pictures.crop=16", "--set", "pictures.pad=2", "--set", "schedule.length=2",
    "--set", "schedule.milestones=1", "--set", "train_limit=16", "--set", "train_batch=8", "--set", "test_limit=8",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*options: str, suite: str = "cifar_plain_vs_resnet") -> int:
    return call(["run", "--suite", suite, "--scale", "smoke", *options])


def recipes(report: Path) -> list[dict[str, object]]:
    lines = report.with_suffix(".jsonl").read_text().splitlines()
    return [json.loads(line)["experiment"]["recipe"] for line in lines if '"experiment"' in line]


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_plain_against_residual_on_smaller_pictures(tmp_path: Path) -> None:
    options = ("--models", "cifar_plain20,cifar_resnet20", "--seeds", "2", *TINY)
    assert run(*options) == 0
    report = tmp_path / "reports" / "cifar_plain_vs_resnet.md"
    text = report.read_text()
    assert "**Reduced run (scale smoke; set otherwise: train_batch 8; " in text
    assert "pictures.crop 16" in text
    assert "not comparable" in text
    assert "reproduced" not in section(text, "Published and measured")
    assert "| ResNet-20 less plain-20 " in section(text, "Differences between arms")
    found = recipes(report)
    assert len(found) == 4
    assert {str(recipe["name"]).partition("+")[0] for recipe in found} == {"he2015_cifar-smoke"}
    again = section(text, "Run it again")
    for setting in TINY[1::2]:
        assert f"--set {setting}" in again

    # The same fields in another order ask the same; the report of the store is the same text.
    turned = [part for setting in TINY[-1::-2] for part in ("--set", setting)]
    assert run("--models", "cifar_plain20,cifar_resnet20", "--seeds", "2", *turned) == 0
    assert report.read_text() == text
    assert (
        call(["report", "--suite", "cifar_plain_vs_resnet", "--models", "cifar_plain20,cifar_resnet20"]) == 0
    )
    assert report.read_text() == text


@pytest.mark.parametrize(
    ("settings", "suite", "said"),
    [
        (("optimiser.lr=1",), "cifar_depth", "did you mean optimizer.lr"),
        (("optimizer.lr=fast", "pictures.crop=0"), "cifar_depth", "optimizer.lr takes a number, found 'fast'"),
        (("optimizer.lr=1",), "imagenet_cost", "imagenet_cost trains nothing: leave out --set"),
        (("pictures.crop=0",), "cifar_depth", "pictures.crop must be at least 1, found 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_one_line(
    settings: Sequence[str], suite: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(*options, suite=suite) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
