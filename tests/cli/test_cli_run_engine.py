"""How `resbench run` trains: precision, engine, several at once, several processes; on the drawn CIFAR pictures."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from resbench.cli.main import call
from resbench.store.store import open_store

TINY = (
    "--set", "schedule.length=2", "--set", "schedule.milestones=1", "--set", "train_limit=16", "--set", "train_batch=8",
    "--set", "test_limit=8",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


def run(*options: str, suite: str = "cifar_depth") -> int:
    return call(["run", "--suite", suite, "--scale", "smoke", *TINY, *options])


def results(suite: str = "cifar_depth") -> list[dict[str, Any]]:
    lines = Path("reports", f"{suite}.jsonl").read_text().splitlines()
    return [found for line in lines if "experiment" in (found := json.loads(line))]


def epochs(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in (epoch[part] or {}).items() if name != "seconds"}
        for epoch in result["epochs"]
        for part in ("train", "test")
    ]


def test_precision_is_asked_and_the_rest_is_named_as_what_ran() -> None:
    options = (
        "--models",
        "cifar_resnet20",
        "--precision",
        "bf16",
        "--memory-format",
        "contiguous",
        "--no-fused",
    )
    assert run(*options, "--feed", "loader", "--threads", "1") == 0
    (result,) = results()
    assert result["experiment"]["precision"] == "bf16"
    settings = result["environment"]["settings"]
    assert settings["memory format"] == "contiguous"
    assert (settings["fused optimiser"], settings["pictures"], settings["threads"]) == ("off", "loader", "1")
    text = Path("reports/cifar_depth.md").read_text()
    assert "| fused optimiser " in text
    assert "--precision bf16" in text.partition("## Run it again")[2]
    # The engine is no part of the question, the precision is.
    assert run("--models", "cifar_resnet20", "--precision", "bf16") == 0
    assert results() == [result]
    assert run("--models", "cifar_resnet20") == 0
    assert results()[0]["key"] != result["key"]
    assert "--precision" not in Path("reports/cifar_depth.md").read_text().partition("## Run it again")[2]


def test_epochs_are_in_the_store_while_a_suite_runs() -> None:
    assert run("--models", "cifar_resnet20", "--set", "schedule.unit=epoch", "--threads", "1") == 0
    (result,) = results()
    with open_store("resbench.db") as store:
        (recorded,) = store.epochs.runs()
    assert (recorded.key, recorded.total, len(recorded.epochs)) == (result["key"], 2, 2)


def test_two_at_once_find_what_each_finds_alone() -> None:
    options = ("--models", "cifar_resnet20", "--seeds", "2", "--threads", "1")
    assert run(*options, "--store", "alone.db") == 0
    alone = results()
    assert run(*options, "--store", "together.db", "--together", "2") == 0
    together = results()
    assert [result["key"] for result in together] == [result["key"] for result in alone]
    assert [epochs(result) for result in together] == [epochs(result) for result in alone]
    with open_store("together.db") as store:
        assert len(store.epochs.runs()) == 2


def test_an_arm_of_two_processes_is_trained_by_two(capsys: pytest.CaptureFixture[str]) -> None:
    suite = "cifar_batch_and_gpus"
    models = ("--models", "batch_128,batch_128_over_2")
    assert run(*models, suite=suite) == 0
    one, two = results(suite)
    assert (one["experiment"].get("processes", 1), two["experiment"]["processes"]) == (1, 2)
    assert two["environment"]["settings"]["processes"] == "2"
    assert [epoch["train"]["samples"] for epoch in two["epochs"]] == [16]
    text = Path("reports", f"{suite}.md").read_text()
    assert "| batch of 128 over 2 processes less batch of 128, one process " in text
    capsys.readouterr()
    assert run(*models, suite=suite) == 0
    assert capsys.readouterr().err.count("in the store since") == 2


SECOND_ARM_IN_FP16 = """
name = "mine"
title = "T"
question = "Q?"
data = "cifar10"
recipe = "he2015_cifar"
[source]
title = "t"
where = "w"
url = "u"
[[arms]]
model = "cifar_resnet20"
[[arms]]
model = "cifar_resnet20"
name = "half"
precision = "fp16"
"""


def test_what_the_device_cannot_do_is_found_before_the_arms_that_it_can(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.toml").write_text(SECOND_ARM_IN_FP16)
    assert run(suite="./mine.toml") == 2
    assert "precision 'fp16' is for GPUs" in capsys.readouterr().err
    assert not Path("resbench.db").exists()


@pytest.mark.parametrize(
    ("options", "suite", "said"),
    [
        (("--precision", "fp16"), "cifar_depth", "precision 'fp16' is for GPUs"),
        (("--memory-format", "channel_last"), "cifar_depth", "did you mean channels_last?"),
        (("--feed", "residnt"), "cifar_depth", "did you mean resident?"),
        (("--together", "2", "--processes", "2"), "cifar_depth", "give one of them"),
        (("--processes", "2"), "cifar_batch_and_gpus", "differ in their processes: leave out --processes"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    options: Sequence[str], suite: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options, suite=suite) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "option",
    [
        ("--precision", "bf16"),
        ("--processes", "2"),
        ("--together", "2"),
        ("--seeds", "2"),
        ("--memory-format", "channels_last"),
        ("--compile",),
        ("--no-fused",),
        ("--cuda-graph",),
        ("--feed", "loader"),
        ("--threads", "1"),
        ("--allocator", "keep"),
        ("--workers", "1"),
    ],
)
def test_a_suite_that_trains_nothing_takes_no_options_of_training(
    option: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["run", "--suite", "imagenet_cost", *option]) == 2
    assert f"imagenet_cost trains nothing: leave out {option[0]}" in capsys.readouterr().err


@pytest.mark.parametrize("suite", ["latency", "imagenet_eval"])
def test_threads_that_nothing_would_take_are_refused(suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "--suite", suite, "--threads", "1"]) == 2
    assert f"{suite} trains nothing: leave out --threads" in capsys.readouterr().err
