"""How long a training run will take, from what its parts take: the arithmetic, with its error.

A run is its start, its steps, what lies between two epochs, and its tests. What each takes is measured by doing a few of
it (`resbench.trial.rehearsal`); how many there are follows from the recipe and the data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from resbench.metrics.energy.windows import mean_of
from resbench.specs import DataIdentity, Recipe
from resbench.statistics.student import quantile
from resbench.training.lengths import epochs_of, steps_in

_FEWEST = 5
"""Steps from which an interval within one visit can be told."""


class Estimate(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much of each part one run has.

    Attributes:
        steps: whole batches that are trained on; a smaller one counts as its share.
        images: samples that are trained on, over all epochs.
        epochs: also those that are cut short.
        passes: over test samples, and over held-out ones.
        test_batches: whole batches of all those passes.
        all_steps: batches that are trained on, each counting the same.
    """

    steps: float
    images: int
    epochs: int
    passes: int
    test_batches: float
    all_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the parts of one run were found to take, in seconds.

    Attributes:
        visits: each a stretch of steady steps: seconds of each, for a whole batch. Between two visits others ran.
        start_s: before the steps are steady, beyond so many steady ones.
        epoch_s: between two epochs, or after the last: a checkpoint among it.
        test_start_s: of a pass, beyond its batches.
        test_batch_s: of a whole batch of test samples.
        opening_s: before the run itself: reading its pictures.
        checkpoint_B: bytes of a checkpoint.
        watts: mean power while steps are done, of some windows; empty where no counter tells.
        off: by which share the time of a step may be off because other arms were measured in place of this one; else 0.
    """

    visits: tuple[tuple[float, ...], ...]
    start_s: float
    epoch_s: float
    test_start_s: float
    test_batch_s: float
    opening_s: float
    checkpoint_B: int
    watts: tuple[float, ...] = field(default=())
    off: float = 0.0

    @property
    def step_s(self) -> float:
        """Seconds of a whole batch: the mean of the visits' means."""
        return fmean(map(fmean, self.visits))


class Drift(NamedTuple):
    """How much the pace changes from visit to visit, as a share of it, and with how many degrees of freedom that is known."""

    deviation: float
    freedom: int


def work_of(recipe: Recipe, data: DataIdentity) -> Work:
    """Return how much of each part a run of the recipe has on these data."""
    samples = min(recipe.train_limit or data.train_samples, data.train_samples) - recipe.validation
    tested = min(recipe.test_limit or data.test_samples, data.test_samples)
    epochs = epochs_of(recipe, samples)
    steps = [steps_in(recipe, samples, epoch) for epoch in range(1, epochs + 1)]
    images = sum(min(samples, recipe.train_batch * number) for number in steps)
    tests = epochs if recipe.testing == "every_epoch" else 1
    validations = epochs if recipe.validation else 0
    return Work(
        steps=images / recipe.train_batch,
        images=images,
        epochs=epochs,
        passes=tests + validations,
        test_batches=(tests * tested + validations * recipe.validation) / recipe.test_batch,
        all_steps=sum(steps),
    )


def seconds_of(parts: Parts, work: Work, checkpoint_s: float) -> float:
    """Return the wall time of one run, as its result will state it: without the opening.

    Args:
        parts: what each part takes.
        work: how much of each there is.
        checkpoint_s: seconds between two checkpoints within an epoch.
    """
    steps_s = work.steps * parts.step_s
    between = work.epochs + math.floor(steps_s / checkpoint_s)
    tests_s = work.passes * parts.test_start_s + work.test_batches * parts.test_batch_s
    return parts.start_s + steps_s + between * parts.epoch_s + tests_s


def drift_of(every: Sequence[Parts]) -> Drift:
    """Return the deviation of a visit's pace from its arm's, over all arms: arms share the machine that drifts.

    Raises:
        ValueError: no arm was visited twice.
    """
    squares, freedom = 0.0, 0
    for parts in every:
        logs = [math.log(fmean(visit)) for visit in parts.visits]
        squares += math.fsum((one - fmean(logs)) ** 2 for one in logs)
        freedom += len(logs) - 1
    if not freedom:
        raise ValueError("drift shows between two visits, and there was one of each")
    return Drift(math.sqrt(squares / freedom), freedom)


def error_of(parts: Parts, drift: Drift, floor: float) -> float:
    """Return half the 95 % interval of a run's time, as a share of it.

    The error of the measured steps within their visits, and that of a pace that changes: the run to come has a pace of
    its own, so that its deviation counts beside that of the visits' mean. Drift is never taken to be smaller than the
    machine's noise floor, where that is known.

    Args:
        parts: of one arm.
        drift: of all arms.
        floor: the noise floor, as a share; 0 where none is known.
    """
    visits = len(parts.visits)
    halves = [mean_of(visit).half_width for visit in parts.visits if len(visit) >= _FEWEST]
    within = math.hypot(*halves) / len(halves) / parts.step_s if halves else 0.0
    drifting = quantile(drift.freedom) * drift.deviation * math.sqrt(1 + 1 / visits)
    return math.hypot(within, max(drifting, floor), parts.off)


def around(value: float, share: float) -> Estimate:
    """Return a duration with an error that is a share of it: as far up as down in proportion, and never below zero."""
    return Estimate(value, value / (1 + share), value * (1 + share))


def added(every: Sequence[Estimate]) -> Estimate:
    """Return the sum; its ends are the sums of the ends, because a machine that slows down slows all arms down."""
    return Estimate(*(math.fsum(ends) for ends in zip(*every, strict=True))) if every else Estimate(0, 0, 0)


def joules_of(parts: Parts, seconds: Estimate) -> Estimate | None:
    """Return the energy of a run at the measured power of its steps, idle power included; None where none is known."""
    if not parts.watts:
        return None
    power = mean_of(parts.watts)
    share = power.half_width / power.value
    return Estimate(
        power.value * seconds.value,
        max(0.0, 1 - share) * power.value * seconds.low,
        (1 + share) * power.value * seconds.high,
    )
