"""Runs that take turns against the same runs alone."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from resbench.datasets.data import Data
from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.errors import ResbenchError
from resbench.results import Ending
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.training.loop import steps, train
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


def compare(folder: Path, device: str) -> None:
    """Train two seeds in turns, beside one that diverges, and each alone: the same bits."""
    data = open_cifar_sample("cifar10")
    apart = replace(RECIPE, optimizer=replace(RECIPE.optimizer, lr=1e30))
    runs = [opened(data, folder / f"together{seed}", seed, device) for seed in (0, 1)]
    diverging = opened(data, folder / "apart", 2, device, apart)
    first, broken, second = together([steps(runs[0]), steps(diverging), steps(runs[1])], torch.device(device))
    assert broken.value is not None
    assert broken.value.ending is Ending.DIVERGED
    for seed, end in enumerate((first, second)):
        alone = opened(data, folder / f"alone{seed}", seed, device)
        trained = train(alone)
        assert end.value is not None
        assert end.error is None
        assert [epoch.test and epoch.test.loss for epoch in end.value.epochs] == [
            epoch.test and epoch.test.loss for epoch in trained.epochs
        ]
        expected = weights(alone)
        assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(runs[seed]).items())


def test_runs_in_turns_are_to_the_last_bit_what_they_are_alone(tmp_path: Path) -> None:
    compare(tmp_path, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="streams need a CUDA device")
def test_runs_on_streams_are_what_they_are_alone(tmp_path: Path) -> None:
    from resbench.training.seeding import deterministic

    with deterministic(torch.device("cuda")):
        compare(tmp_path, "cuda")


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
