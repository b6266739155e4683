"""Steps of a training run, timed as the run itself does them: which of them are alike, and when they are enough."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from resbench.metrics.latency.steady import steady_from

TOLERANCE = 0.05
"""A change of the steps' pace by less than this share is no warm-up."""
_FEWEST, _PATIENCE = 3, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the epochs of a run are cut into steps.

    Attributes:
        samples: of an epoch.
        batch: of a step; the last of an epoch may be smaller.
    """

    samples: int
    batch: int

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.samples // self.batch)

    def size(self, step: int) -> int:
        """Return how many samples a step has, counted from 0 over all epochs."""
        return min(self.batch, self.samples - step % self.steps * self.batch)

    def usual(self, step: int) -> bool:
        """Whether a step is as most are: as large as any, and not the first of an epoch, before which much is done.

        Where an epoch is one step, all but the very first are alike.
        """
        if self.steps == 1:
            return step > 0
        return step % self.steps > 0 and self.size(step) == self.size(1)


class Walk(NamedTuple):
    """What a stretch of steps took.

    Attributes:
        steps_s: seconds of each steady step, brought to a whole batch; on a GPU, means over short blocks.
        start_s: what the steps before took beyond as many steady ones: the first of a run, and those not yet steady.
    """

    steps_s: tuple[float, ...]
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How steps are timed.

    Attributes:
        clock: seconds.
        synchronise: waits for the device.
        block_s: steps are timed together until they last so long, for waiting after each would slow a GPU down.
    """

    clock: Callable[[], float] = time.perf_counter
    synchronise: Callable[[], None] = lambda: None
    block_s: float = 0.0

    def seconds(self, work: Callable[[], object]) -> float:
        """Return how long some work takes, the device's part included."""
        begin = self.clock()
        work()
        self.synchronise()
        return self.clock() - begin


def walk(journey: Iterator[None], shape: Shape, watched: Watched, *, seconds: float) -> Walk:
    """Do steps of a run that has just begun until its usual ones are steady and were watched long enough.

    That is for `seconds`, and at least three of them; where steps are so slow that three take more than three times as
    long, one has to do.

    Args:
        journey: pauses after each step.
        shape: of its epochs.
        watched: how it is timed.
        seconds: to watch.

    Raises:
        ValueError: the run ended before it had a usual step.
    """
    begin, step, found = watched.clock(), 0, _Found([], [])
    while True:
        block = _block(journey, step, shape, watched)
        if block is None:
            break
        step += block.steps
        if block.usual:
            found.usual_s.append(block.each_s * shape.batch / block.size)
        else:
            found.other.append(block)
        spent, usual = watched.clock() - begin - found.first_s, len(found.usual_s)
        if (usual >= _FEWEST and spent >= seconds) or (usual and spent >= _PATIENCE * seconds):
            break
    if not found.usual_s:
        raise ValueError("a run that ends before its second step has no pace")
    return found.walk(shape.batch)


class _Block(NamedTuple):
    """Steps that were timed together."""

    steps: int
    each_s: float
    size: int
    usual: bool


class _Found(NamedTuple):
    usual_s: list[float]
    other: list[_Block]

    @property
    def first_s(self) -> float:
        return self.other[0].each_s if self.other else 0.0

    def walk(self, batch: int) -> Walk:
        start = steady_from(self.usual_s, TOLERANCE)
        start = start if len(self.usual_s) - start >= _FEWEST else 0
        steady = self.usual_s[start:]
        step_s = sum(steady) / len(steady)
        late = sum(self.usual_s[:start]) - start * step_s
        first = self.first_s - step_s * self.other[0].size / batch if self.other else 0.0
        return Walk(tuple(steady), max(0.0, first) + max(0.0, late))


def _block(journey: Iterator[None], step: int, shape: Shape, watched: Watched) -> _Block | None:
    """Do a step, and where it is usual those after it that are, until the block is long enough; None at the end."""
    begin, done, usual = watched.clock(), 0, shape.usual(step)
    while True:
        if next(journey, _ENDED) is _ENDED:
            return None
        done += 1
        if not usual or not shape.usual(step + done) or watched.clock() - begin >= watched.block_s:
            break
    watched.synchronise()
    return _Block(done, (watched.clock() - begin) / done, shape.size(step), usual)


_ENDED = object()
