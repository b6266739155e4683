"""A rehearsal on drawn pictures: it does what a run does, leaves nothing behind, and knows what a checkpoint takes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from resbench.architectures.naming import find_architecture
from resbench.datasets.data import Data
from resbench.datasets.opening import open_data
from resbench.errors import ResbenchError, UsageError
from resbench.models.build import build
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.training import counting, tested
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.scales import at_scale
from resbench.trial import rehearsal
from resbench.trial.rehearsal import Stage, rehearse_ending, rehearse_power, rehearse_steps
from resbench.trial.sampled_pictures import open_pictures
from resbench.trial.walking import Watched

SMOKE = replace(at_scale(HE2015_CIFAR, Scale.SMOKE), train_batch=32, test_batch=32)
CPU = torch.device("cpu")


def asked(recipe: Recipe, data: Data, device: str = "cpu") -> Experiment:
    return Experiment(
        model="cifar_resnet20",
        device=device,
        precision=Precision.FP32,
        seed=0,
        scale=Scale.SMOKE,
        recipe=recipe,
        data=data.identity,
    )


@pytest.fixture
def data() -> Data:
    return open_data("cifar10", None)


def staged(recipe: Recipe, data: Data, folder: Path, engine: Engine | None = None) -> Stage:
    engine = engine or Engine()
    opened = open_pictures(data, recipe, engine, CPU, folder=folder / "pictures")
    return Stage(data=data, feeds=opened.feeds, engine=engine, folder=folder)


def test_a_rehearsal_times_steps_and_an_ending_and_leaves_nothing(data: Data, tmp_path: Path) -> None:
    stage, experiment = staged(SMOKE, data, tmp_path), asked(SMOKE, data)
    state = torch.get_rng_state()
    walk = rehearse_steps(experiment, stage, seconds=0.1)
    ending = rehearse_ending(experiment, stage, step_s=sum(walk.steps_s) / len(walk.steps_s), seconds=0.05)
    assert walk.steps_s
    assert min(walk.steps_s) > 0
    assert ending.test_batch_s > 0
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(state, torch.get_rng_state())


def test_a_checkpoint_takes_the_weights_and_a_momentum_of_each(data: Data, tmp_path: Path) -> None:
    """4 bytes for each parameter, as many for its momentum, and the buffers of batch norm; names and progress beside."""
    ending = rehearse_ending(asked(SMOKE, data), staged(SMOKE, data, tmp_path), step_s=0.0, seconds=0.0)
    model = build(find_architecture("cifar_resnet20"), classes=10)
    numbers = 2 * sum(one.numel() for one in model.parameters()) + sum(one.numel() for one in model.buffers())
    assert 4 * numbers < ending.checkpoint_B < 4 * numbers + 100_000


@pytest.mark.parametrize(
    "changes",
    [
        {"testing": "every_epoch", "validation": 32, "precise_bn": 1, "ema": 0.9},
        {"test_limit": 8, "train_limit": 32},  # an epoch is one step, a test one small batch
    ],
)
def test_recipes_of_every_kind_can_be_rehearsed(changes: dict[str, int], data: Data, tmp_path: Path) -> None:
    recipe = replace(SMOKE, **changes)  # type: ignore[arg-type]
    stage, experiment = staged(recipe, data, tmp_path), asked(recipe, data)
    walk = rehearse_steps(experiment, stage, seconds=0.05)
    ending = rehearse_ending(experiment, stage, step_s=walk.steps_s[0], seconds=0.0)
    assert all(math.isfinite(one) and one >= 0 for one in (*walk.steps_s, *ending))


@pytest.mark.parametrize(("asked_for", "taken"), [(1, 1), (5, 5), (50, 9)])
def test_statistics_taken_anew_count_every_batch_that_a_run_takes_them_from(
    asked_for: int, taken: int, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One second for each batch, on a clock that nothing else moves: 288 samples are nine batches of 32."""
    clock = Clock()

    def recompute(_model: torch.nn.Module, batches: Iterable[torch.Tensor]) -> None:
        for _ in batches:
            clock.now += 1.0

    monkeypatch.setattr(rehearsal, "_watched", lambda _device: Watched(clock=clock))
    monkeypatch.setattr(tested, "recompute", recompute)
    recipe = replace(SMOKE, precise_bn=asked_for)
    ending = rehearse_ending(asked(recipe, data), staged(recipe, data, tmp_path), step_s=0.0, seconds=0.0)
    assert ending.test_start_s == pytest.approx(taken, abs=0.01)


@dataclass
class Clock:
    """Time that a look at it moves a little."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


def test_a_loss_that_breaks_at_once_is_told_in_a_line(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "EXPLODED", 0.0)
    with pytest.raises(ResbenchError, match=r"cifar_resnet20 .* exploded"):
        rehearse_ending(asked(SMOKE, data), staged(SMOKE, data, tmp_path), step_s=0.0, seconds=0.0)


def test_what_the_device_lacks_is_refused_as_a_run_would_refuse_it(data: Data, tmp_path: Path) -> None:
    stage = staged(SMOKE, data, tmp_path, replace(Engine(), cuda_graph=True))
    with pytest.raises(UsageError, match="CUDA"):
        rehearse_steps(asked(SMOKE, data), stage, seconds=0.1)


def test_the_power_of_steps_is_what_a_counter_gains_over_time(data: Data, tmp_path: Path) -> None:
    """A counter that gains 30 J in each second, ten times a second, tells 30 W."""
    import time

    class Counter:
        name = "a fake"

        def joules(self) -> float:
            return 3.0 * math.floor(10 * time.perf_counter())

    watts = rehearse_power(asked(SMOKE, data), staged(SMOKE, data, tmp_path), Counter(), 0.0)
    assert len(watts) >= 5
    assert sum(watts) / len(watts) == pytest.approx(30, rel=0.2)


def test_pictures_that_memory_holds_are_opened_whole_and_others_in_part(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    opened = open_pictures(data, SMOKE, Engine(), CPU, folder=tmp_path / "some")
    assert (opened.feeds.train.kind, len(opened.feeds.train), opened.to_build) == ("resident", 288, ())
    assert opened.opening_s > 0

    few = replace(at_scale(VOC_ZJ2020, Scale.SMOKE), train_batch=4, test_batch=4)
    voc = open_data("voc0712", None)
    stored = open_pictures(voc, few, Engine(), CPU, folder=tmp_path / "some")
    assert (stored.feeds.train.kind, len(stored.feeds.train), len(stored.feeds.test)) == ("store", 64, 64)
    assert all(one.seconds > 0 for one in stored.to_build)
    # Crops of a shorter side of 64 and three channels, 288 and 96 of them, none of which is kept yet.
    assert sum(one.size_B for one in stored.to_build) > 384 * 3 * 64 * 64
    assert not (tmp_path / "cache" / "pictures").exists()

    read = open_pictures(voc, few, Engine(feed="loader"), CPU, folder=tmp_path / "some")
    assert (read.feeds.train.kind, read.to_build) == ("loader", ())


def test_held_out_pictures_have_a_file_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    recipe = replace(at_scale(VOC_ZJ2020, Scale.SMOKE), train_batch=4, test_batch=4, validation=32)
    voc = open_data("voc0712", None)
    opened = open_pictures(voc, recipe, Engine(), CPU, folder=tmp_path / "some")
    assert len({one.path for one in opened.to_build}) == 3
    # 256, 96 and 32 of the drawn pictures, which are alike in size.
    train, test, held_out = (one.size_B for one in opened.to_build)
    assert train > test > held_out >= 32 * 3 * 64 * 64
