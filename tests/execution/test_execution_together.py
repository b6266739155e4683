"""Experiments that run at once: each finds what it finds alone, and the failure of one is its own."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resbench.datasets.data import Data, Split
from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.errors import ResbenchError, Stopped
from resbench.execution import in_process, together
from resbench.execution.progress import Silent
from resbench.results import Environment, Result, plain
from resbench.specs import Engine, Experiment, Precision, Profiling, Scale
from resbench.store.store import open_store
from resbench.training.recipes import HE2015_CIFAR

RECIPE = replace(
    HE2015_CIFAR,
    schedule=replace(HE2015_CIFAR.schedule, length=4, milestones=(3,), warmup=0),
    train_batch=16,
    test_batch=16,
    train_limit=32,
    test_limit=16,
    testing="every_epoch",
    validation=0,
)


def experiments(data: Data, count: int) -> list[Experiment]:
    return [
        Experiment(
            model="cifar_resnet20",
            device="cpu",
            precision=Precision.FP32,
            seed=seed,
            scale=Scale.SMOKE,
            recipe=RECIPE,
            data=data.identity,
        )
        for seed in range(count)
    ]


class Noting(Silent):
    """Notes what it is told, and asks for an end at the first look after so many experiments began."""

    def __init__(self, stop_after: int = 99) -> None:
        self.stop_after = stop_after
        self.begun: list[int] = []
        self.finished: list[int] = []
        self.reused: list[int] = []

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        self.begun.append(position)

    def finish(self, result: Result, position: int, total: int) -> None:
        self.finished.append(position)

    def reuse(self, result: Result, position: int, total: int) -> None:
        self.reused.append(position)

    def stopping(self) -> bool:
        return len(self.begun) >= self.stop_after


def run(folder: Path, data: Data, wanted: list[Experiment], progress: Silent) -> tuple[Result, ...]:
    with open_store(str(folder / "results.db")) as store:
        return together.run(
            wanted,
            data,
            store,
            at_once=2,
            checkpoints=folder / "checkpoints",
            workers=0,
            progress=progress,
            note="drawn",
            engine=Engine(threads=1),
        )


def found(result: Result) -> list[object]:
    epochs = [plain(epoch) for epoch in result.epochs]
    for epoch in epochs:
        for part in ("train", "test"):
            epoch[part].pop("seconds")
    return [result.key, result.notes, epochs]


def test_two_at_once_find_what_each_finds_alone_and_are_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    data = open_cifar_sample("cifar10")
    wanted = experiments(data, 2)
    # One at a time here, with as many threads.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with open_store(str(tmp_path / "alone.db")) as store:
        alone = in_process.run(
            wanted,
            data,
            store,
            checkpoints=tmp_path / "alone",
            workers=0,
            progress=Silent(),
            note="drawn",
            engine=Engine(threads=1),
        )
    torch.set_num_threads(before)
    first, second = Noting(), Noting()
    results = run(tmp_path, data, wanted, first)
    assert [found(result) for result in results] == [found(result) for result in alone]
    assert (first.begun, sorted(first.finished), first.reused) == ([1, 2], [1, 2], [])
    assert run(tmp_path, data, wanted, second) == results
    assert (second.begun, second.finished, second.reused) == ([], [], [1, 2])


def test_a_profile_that_can_not_be_made_is_a_result_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiling = Profiling(batch_size=1, num_classes=10, input_CHW=(3, 32, 32), backend="onnxruntime")
    asked = replace(
        experiments(open_cifar_sample("cifar10"), 1)[0], recipe=None, data=None, profiling=profiling
    )

    def lacking(question: Experiment, _say: object) -> Result:
        return Result(
            key=question.key,
            experiment=plain(question),
            measurements=(),
            environment=Environment(machine={}, software={}, settings={}),
            started="2026-01-02T03:00:00+00:00",
            seconds=0.0,
            notes=("Not measured: it is not installed.",),
        )

    monkeypatch.setattr(in_process, "timed", lacking)
    (result,) = run(tmp_path, open_cifar_sample("cifar10"), [asked], Silent())
    assert (result.key, result.notes) == (asked.key, ("Not measured: it is not installed.",))


class Torn:
    """Pictures of which one can't be read."""

    def __call__(self, index: int) -> object:
        raise ResbenchError("no picture 7.jpg")


def test_one_that_fails_is_named_and_one_that_is_stored_stays(tmp_path: Path) -> None:
    data = open_cifar_sample("cifar10")
    torn = replace(data, train=Split(labels=data.train.labels, load=Torn()))  # type: ignore[arg-type]
    with pytest.raises(
        ResbenchError, match=r"^1 of 1 experiments failed, the others are stored: cifar_resnet20 with"
    ):
        run(tmp_path, torn, experiments(data, 1), Silent())


def test_all_are_stopped(tmp_path: Path) -> None:
    data = open_cifar_sample("cifar10")
    progress = Noting(stop_after=2)
    with pytest.raises(Stopped):
        run(tmp_path, data, experiments(data, 3), progress)
    assert progress.begun == [1, 2]
    assert progress.finished == []
