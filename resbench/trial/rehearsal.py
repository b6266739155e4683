"""A training run rehearsed: a few of its steps, test batches and checkpoints, done as the run does them, and timed.

What is timed is the engine itself (`resbench.training.loop`) on the run's own pictures. The weights are thrown away; they
hardly move, because the rate is next to nothing: a loss that explodes may be slower than one that does not.
"""

import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import NamedTuple

import torch

from resbench.datasets.data import Data
from resbench.errors import ResbenchError
from resbench.metrics.energy.counters import Counter
from resbench.metrics.energy.windows import Time, run_windows, update_period
from resbench.models.devices import resolve_device
from resbench.models.precision import float32_as
from resbench.specs import Engine, Experiment, Recipe, Schedule
from resbench.training.cutting import Batch
from resbench.training.feeds import Feed
from resbench.training.loop import steps
from resbench.training.run import Feeds, Run
from resbench.training.seeding import deterministic
from resbench.training.tested import as_tested
from resbench.training.watching import Unwatched
from resbench.trial.before_training import fresh_model
from resbench.trial.training import threads_of
from resbench.trial.walking import Shape, Walk, Watched, walk

_ENDLESS, _EPOCHS, _TESTS = 1_000_000_000, 3, 3
_SOME = 4
"""Batches that precise batch norm is timed by, at the most."""
_BLOCK_S = 0.1
_WINDOWS, _UPDATES = 5, 10


class Ending(NamedTuple):
    """What a run does beside its steps.

    Attributes:
        epoch_s: between the last step of an epoch and the first of the next, beyond a step: a checkpoint, an order, draws.
        test_start_s: before the first batch of a test, beyond a batch: statistics taken anew, a feed that starts.
        test_batch_s: of one whole batch of test samples.
        checkpoint_B: of one checkpoint.
    """

    epoch_s: float
    test_start_s: float
    test_batch_s: float
    checkpoint_B: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """On what a run is rehearsed.

    Attributes:
        data: whole; the experiment's.
        feeds: its pictures, or some of them where all would take long to prepare.
        engine: how it is run.
        folder: on the disk where its checkpoints would lie.
    """

    data: Data
    feeds: Feeds
    engine: Engine
    folder: Path


def rehearse_steps(experiment: Experiment, stage: Stage, *, seconds: float) -> Walk:
    """Begin the run, and do steps until they are steady and were watched for so many seconds.

    Raises:
        UsageError: the device can't do what the engine asks for.
        ResbenchError: the loss broke.
    """
    with _begun(experiment, stage, stage.feeds) as run:
        shape = Shape(samples=len(run.feeds.train), batch=run.recipe.train_batch)
        return walk(_steps(run, experiment.model), shape, _watched(run.device), seconds=seconds)


def rehearse_ending(experiment: Experiment, stage: Stage, *, step_s: float, seconds: float) -> Ending:
    """Do three epochs of one step each, and then test until that was watched for so many seconds, or is over.

    Args:
        experiment: with a recipe.
        stage: where.
        step_s: of a whole batch, as it was found.
        seconds: of testing, three batches at least.

    Raises:
        ResbenchError: the loss broke.
    """
    batch = min(len(stage.feeds.train), _recipe(experiment).train_batch)
    feeds = replace(stage.feeds, train=_Part(stage.feeds.train, batch))
    with _begun(experiment, stage, feeds, epochs=_EPOCHS) as run:
        watched, journey = _watched(run.device), _steps(run, experiment.model)
        once = partial(next, journey)
        once()
        between = [watched.seconds(once) for _ in range(_EPOCHS - 1)]
        size_B = sum(file.stat().st_size for file in _newest(run.folder).iterdir())
        tests = Shape(samples=len(run.feeds.test), batch=run.recipe.test_batch)
        first_s = watched.seconds(once)
        batch_s = _test_batch_s(journey, tests, watched, seconds) or first_s
        journey.close()
        anew_s = _more_statistics_s(run, stage, watched)
    step_s *= batch / run.recipe.train_batch
    return Ending(
        epoch_s=max(0.0, sum(between) / len(between) - step_s),
        test_start_s=max(0.0, first_s - batch_s) + anew_s,
        test_batch_s=batch_s * tests.batch / tests.size(0),
        checkpoint_B=size_B,
    )


def rehearse_power(
    experiment: Experiment, stage: Stage, counter: Counter, steps_s: float
) -> tuple[float, ...]:
    """Return the mean power in watts over some windows of steps, as the counter has it: idle power is part of it.

    Args:
        experiment: with a recipe.
        stage: where.
        counter: of the device's joules.
        steps_s: how long steps are done first, until they are steady.

    Raises:
        EnergyRefused: the counter does not move, or can't be read any more.
        ResbenchError: the loss broke.
    """
    with _begun(experiment, stage, stage.feeds) as run:
        watched, journey = _watched(run.device), _steps(run, experiment.model)
        time = Time(clock=watched.clock, sleep=_sleep)
        window_s = max(0.5, _UPDATES * update_period(counter, time))
        begin = watched.clock()
        while watched.clock() - begin < steps_s:
            next(journey)

        def work() -> None:
            watched.seconds(lambda: [next(journey) for _ in range(1 if not watched.block_s else 8)])

        windows = run_windows(counter, time, work, number=_WINDOWS, seconds=window_s)
        journey.close()
    return tuple(window.watts for window in windows)


def _sleep(seconds: float) -> None:
    import time

    time.sleep(seconds)


def _steps(run: Run, model: str) -> Generator[None, None, None]:
    """Do the steps of a run that is never rehearsed to its end.

    Raises:
        ResbenchError: it ended, because its loss broke.
    """
    yield from steps(run)
    raise ResbenchError(
        f"{model} can't be timed: its loss is no number, or exploded, before anything is learnt: leave it out with --models"
    )


def _more_statistics_s(run: Run, stage: Stage, watched: Watched) -> float:
    """Return what precise batch norm adds to a test beyond one batch: epochs that are rehearsed have no more."""
    recipe, size = run.recipe, run.recipe.train_batch
    samples = min(recipe.train_limit or len(stage.data.train), len(stage.data.train)) - recipe.validation
    wanted = min(recipe.precise_bn, -(-samples // size))
    some = min(wanted, _SOME, -(-len(stage.feeds.train) // size))
    if some < 2:
        return 0.0

    def taken_s(batches: int) -> float:
        asked = replace(run, feeds=stage.feeds, recipe=replace(recipe, precise_bn=batches))

        def work() -> None:
            with as_tested(asked, None, 1):
                pass

        return watched.seconds(work)

    one_s = taken_s(1)
    return (wanted - 1) * max(0.0, (taken_s(some) - one_s) / (some - 1))


def _test_batch_s(journey: Iterator[None], tests: Shape, watched: Watched, seconds: float) -> float:
    """Return the mean time of the whole test batches after the first; 0 where there is none."""
    begin, done = watched.clock(), 0
    for _ in range(1, sum(tests.size(step) == tests.batch for step in range(tests.steps))):
        next(journey)
        done += 1
        if done >= _TESTS and watched.clock() - begin >= seconds:
            break
    watched.synchronise()
    return (watched.clock() - begin) / done if done else 0.0


@contextmanager
def _begun(experiment: Experiment, stage: Stage, feeds: Feeds, *, epochs: int = 0) -> Iterator[Run]:
    """Yield a run that is about to begin: without end, or of so many epochs with a test after the last."""
    device = resolve_device(experiment.device)
    engine = replace(stage.engine, precision=experiment.precision, processes=1, checkpoint_s=inf)
    recipe = _recipe(experiment)
    length = epochs * -(-len(feeds.train) // recipe.train_batch) if epochs else _ENDLESS
    stage.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as around:
        folder = around.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-", dir=stage.folder))
        for block in (float32_as(engine.precision), deterministic(device), threads_of(engine.threads)):
            around.enter_context(block)
        yield Run(
            model=fresh_model(experiment, stage.data),
            recipe=replace(
                recipe,
                schedule=Schedule(name="steps", unit="iteration", length=length),
                optimizer=replace(recipe.optimizer, lr=1e-8),
                testing="end",
            ),
            seed=experiment.seed,
            device=device,
            feeds=replace(feeds, validation=None),
            folder=Path(folder),
            watch=Unwatched(),
            engine=engine,
        )


def _watched(device: torch.device) -> Watched:
    if device.type == "cuda":
        return Watched(synchronise=partial(torch.cuda.synchronize, device), block_s=_BLOCK_S)
    return Watched()


def _newest(folder: Path) -> Path:
    return max(path for path in folder.iterdir() if path.is_dir())


def _recipe(experiment: Experiment) -> Recipe:
    if experiment.recipe is None:
        raise ValueError("only an experiment that trains can be rehearsed so")
    return experiment.recipe


class _Part:
    """The first samples of a feed."""

    def __init__(self, feed: Feed, samples: int) -> None:
        self._feed, self._samples = feed, samples
        self.kind, self.note, self.mean_CHW = feed.kind, feed.note, feed.mean_CHW
        self.labels_N = feed.labels_N[:samples]

    def __len__(self) -> int:
        return self._samples

    def training_batches(self, batches: Sequence[Sequence[int]], *, seed: int, epoch: int) -> Iterator[Batch]:
        return self._feed.training_batches(batches, seed=seed, epoch=epoch)

    def test_batches(self, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
        return self._feed.test_batches(batches)
