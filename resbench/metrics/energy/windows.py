"""Energy in windows that follow one another: from boundary to boundary of the counter, so that no joule is lost between them."""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resbench.metrics.energy.counters import Counter, EnergyRefused


class Window(NamedTuple):
    """What a counter gained while `calls` ran."""

    joules: float
    seconds: float
    calls: int

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Where time comes from: `time.perf_counter` and `time.sleep`, or fakes of them."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]


_POLL_S = 1e-3
_CHANGES = 8
_PATIENCE_S = 10.0


def update_period(counter: Counter, time: Time) -> float:
    """Return the seconds between two changes of a counter, the longest of several, watched while nothing runs.

    Raises:
        EnergyRefused: it does not change.
    """
    gaps: list[float] = []
    last, seen = time.clock(), counter.joules()
    while len(gaps) <= _CHANGES:
        time.sleep(_POLL_S)
        now, found = time.clock(), counter.joules()
        if found != seen:
            gaps.append(now - last)
            last, seen = now, found
        elif now - last > _PATIENCE_S:
            raise EnergyRefused(f"energy: the counter ({counter.name}) did not move for {_PATIENCE_S:.0f} s")
    return max(gaps[1:])  # the first began in the middle of one


def run_windows(
    counter: Counter, time: Time, work: Callable[[], object], *, number: int, seconds: float
) -> list[Window]:
    """Run work without a break and return consecutive windows, each at least so long.

    What a counter has not yet told at the end of a window it tells in the next, so that the error of the sum is one update at
    most, however many windows there are.
    """
    windows: list[Window] = []
    start, before, calls = time.clock(), counter.joules(), 0
    while len(windows) < number:
        work()
        calls += 1
        now = time.clock()
        if now - start >= seconds:
            joules = counter.joules()
            windows.append(Window(joules - before, now - start, calls))
            start, before, calls = now, joules, 0
    return windows


class Mean(NamedTuple):
    """A mean and how far it may be off, at 95 %."""

    value: float
    half_width: float


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of consecutive observations, whose neighbours may resemble each other, with Student's interval.

    Raises:
        ValueError: there are fewer than five.
    """
    number = len(values)
    if number < 5:
        raise ValueError(f"an interval needs at least five windows: {number}")
    middle = statistics.fmean(values)
    off = [value - middle for value in values]
    squares = math.fsum(one * one for one in off)
    if not squares:
        return Mean(middle, 0.0)
    lag_1 = math.fsum(one * other for one, other in itertools.pairwise(off)) / squares
    # A short series shows (1 + 3 r) / n too little correlation (Kendall 1954).
    correlation = min(0.8, max(0.0, lag_1 + (1 + 3 * max(0.0, lag_1)) / number))
    error = math.sqrt(squares / (number - 1) / number * (1 + correlation) / (1 - correlation))
    return Mean(middle, _student(number - 1) * error)


def _student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t for four degrees of freedom and more, to 0.5 %.

    Source: Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 26.7.5.
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
