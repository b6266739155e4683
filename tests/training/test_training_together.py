"""Runs that take turns against the same runs alone."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from resbench.datasets.data import Data
from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.errors import ResbenchError
from resbench.results import Ending
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.training.loop import Trained, steps, train
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.run import Run
from resbench.training.together import together
from resbench.training.watching import Unwatched
from resbench.trial.training import open_run

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


def opened(data: Data, folder: Path, seed: int, device: str, recipe: Recipe = RECIPE) -> Run:
    experiment = Experiment(
        model="cifar_resnet20",
        device=device,
        precision=Precision.FP32,
        seed=seed,
        scale=Scale.SMOKE,
        recipe=recipe,
        data=data.identity,
    )
    return open_run(experiment, data, engine=Engine(), folder=folder, watch=Unwatched())


def weights(run: Run) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


class Found(NamedTuple):
    """What a run ended with: how, the loss of each test, and the weights."""

    ending: Ending
    losses: list[float | None]
    weights: dict[str, Tensor]


def found(run: Run, trained: Trained) -> Found:
    losses = [None if epoch.test is None else epoch.test.loss for epoch in trained.epochs]
    return Found(trained.ending, losses, weights(run))


def in_turns(folder: Path, device: str) -> list[Found]:
    """Train two seeds in turns, with one that diverges between them."""
    data = open_cifar_sample("cifar10")
    apart = replace(RECIPE, optimizer=replace(RECIPE.optimizer, lr=1e30))
    first, second = (opened(data, folder / f"together{seed}", seed, device) for seed in (0, 1))
    runs = [first, opened(data, folder / "apart", 2, device, apart), second]
    ends = together([steps(run) for run in runs], torch.device(device))
    assert [end.error for end in ends] == [None] * 3
    return [found(run, end.value) for run, end in zip(runs, ends, strict=True) if end.value is not None]


def alone(folder: Path, device: str) -> list[Found]:
    data = open_cifar_sample("cifar10")
    runs = [opened(data, folder / f"alone{seed}", seed, device) for seed in (0, 1)]
    return [found(run, train(run)) for run in runs]


def same(one: Found, other: Found) -> bool:
    """Whether two runs ended alike, to the last bit."""
    equal = all(torch.equal(tensor, other.weights[name]) for name, tensor in one.weights.items())
    return equal and one.weights.keys() == other.weights.keys() and one[:2] == other[:2]


def test_runs_in_turns_are_to_the_last_bit_what_they_are_alone(tmp_path: Path) -> None:
    first, diverging, second = in_turns(tmp_path, "cpu")
    assert diverging.ending is Ending.DIVERGED
    assert not same(first, second)
    for one, by_itself in zip((first, second), alone(tmp_path, "cpu"), strict=True):
        assert one.ending is Ending.FINISHED
        assert same(one, by_itself)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="streams need a CUDA device")
def test_runs_on_streams_are_what_they_are_alone(tmp_path: Path) -> None:
    from resbench.training.seeding import deterministic

    with deterministic(torch.device("cuda")):
        first, diverging, second = in_turns(tmp_path, "cuda")
        expected = alone(tmp_path, "cuda")
    assert diverging.ending is Ending.DIVERGED
    assert same(first, expected[0])
    assert same(second, expected[1])


def counting(to: int, seen: list[int], fails_at: int = -1) -> Generator[None, None, int]:
    for number in range(to):
        if number == fails_at:
            raise ResbenchError("a picture can't be read")
        seen.append(to)
        yield
    return to


def test_each_takes_a_step_in_turn_and_a_failure_is_its_own() -> None:
    seen: list[int] = []
    ends = together(
        [counting(3, seen), counting(5, seen, fails_at=1), counting(1, seen)], torch.device("cpu")
    )
    assert seen == [3, 5, 1, 3, 3]
    assert [end.value for end in ends] == [3, None, 1]
    assert [str(end.error) for end in ends] == ["None", "a picture can't be read", "None"]


def test_an_interruption_closes_all() -> None:
    closed: list[str] = []

    def running() -> Generator[None, None, None]:
        try:
            while True:
                yield
        finally:
            closed.append("closed")

    def interrupted() -> Generator[None, None, None]:
        yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together([running(), interrupted(), running()], torch.device("cpu"))
    assert closed == ["closed", "closed"]
