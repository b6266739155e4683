"""When the warm-up is over: when the calls since the last change of speed are enough, and no change is seen in them.

A fixed count is wrong in both directions: a compiler or a clock that ramps up may need a thousand calls, a large model
two. Here the series of call times is searched for a change point by ranks, which outliers do not move; everything
before a significant change is warm-up. Neighbouring calls resemble each other, so the test allows for that.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resbench.metrics.latency.clocks import Stopwatch
from resbench.metrics.latency.intervals import centred_ranks, lag_1

SIGNIFICANCE = 0.05
"""A change is believed where chance would show as large a one in less than this share of steady series. Believing one
too many only makes the warm-up longer, and changes below the tolerance are ignored anyhow."""
_APART = 0.95
"""Two sides of which one exceeds the other in so many of all pairs hardly overlap."""
_PATIENCE = 2
_SMALLEST = 6
"""Calls on which the test can reach that significance at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Where a series changes its level.

    Attributes:
        index: the first observation of the new level.
        p: probability of so large a statistic in a steady series of that correlation.
        p_independent: the same for independent observations: smaller.
        order: probability that an observation of the one side exceeds one of the other; 0 or 1 where none overlap.
        before, after: the medians on both sides.
    """

    index: int
    p: float
    p_independent: float
    order: float
    before: float
    after: float

    @property
    def shift(self) -> float:
        """The change as a share of the new level: -0.1 where calls became 9 % faster than before by a tenth."""
        return self.after / self.before - 1 if self.before > 0 else math.inf

    @property
    def believed(self) -> bool:
        """Whether chance does not explain it.

        In a few calls after a cold start, correlation can't be told from the change itself. There, two sides that
        hardly overlap are believed as if the calls were independent.
        """
        apart = abs(self.order - 0.5) >= _APART - 0.5
        return self.p < SIGNIFICANCE or (apart and self.p_independent < SIGNIFICANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyRule:
    """What counts as steady.

    Attributes:
        tolerance: a change of level by less than this share is no change worth waiting for.
        calls, seconds: the steady stretch has at least so many calls and lasts at least so long. With fewer than 16 the
            test does not find five cold calls at their head.
        limit_s: the warm-up ends after this time, steady or not; after twice that where it takes the test so long to have
            its six calls. Calls so slow that `calls` of them take longer are steady where as many as there was time for
            show no change.
        patience: the test runs again when the series has grown by this share.
    """

    tolerance: float = 0.03
    calls: int = 16
    seconds: float = 0.5
    limit_s: float = 10.0
    patience: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """How the warm-up went.

    Attributes:
        calls, seconds: all that it took.
        steady_from: the call (from 0) at which the steady stretch begins.
        steady: whether it ended because no change was seen any more; else its time was over.
        call_s: median time of the calls of the last stretch.
    """

    calls: int
    seconds: float
    steady_from: int
    steady: bool
    call_s: float


def change_point(samples: Sequence[float] | NDArray[np.float64]) -> ChangePoint | None:
    """Return the most likely change of level in a series, with its significance; None where it is too short.

    Pettitt's rank statistic K, with its variance raised by (1 + r) / (1 - r) for the lag-1 correlation r of the
    ranks within the two stretches.

    Source:
        Pettitt (1979): A non-parametric approach to the change-point problem, Applied Statistics 28(2), section 2.3.
    """
    series = np.asarray(samples, dtype=np.float64)
    n = len(series)
    if n < _SMALLEST:
        return None
    ranks = centred_ranks(series)
    # U_t = 2 (r_1 + ... + r_t) - t (n + 1); ranks here are centred, so the second term is gone.
    statistic = 2 * np.cumsum(ranks)[:-1]
    index = int(np.argmax(np.abs(statistic))) + 1
    correlation = _within(series, index)
    inflation = (1 + correlation) / (1 - correlation)
    exponent = -6 * float(statistic[index - 1]) ** 2 / (n**3 + n**2)
    # Mann and Whitney's U of the two sides, over the number of pairs; the ranks are centred.
    order = float(statistic[index - 1]) / (2 * index * (n - index)) + 0.5
    return ChangePoint(
        index=index,
        p=min(1.0, 2 * math.exp(exponent / inflation)),
        p_independent=min(1.0, 2 * math.exp(exponent)),
        order=order,
        before=float(np.median(series[:index])),
        after=float(np.median(series[index:])),
    )


def steady_from(samples: Sequence[float] | NDArray[np.float64], tolerance: float) -> int:
    """Return the index at which the last stretch without a significant change begins."""
    series = np.asarray(samples, dtype=np.float64)
    start = 0
    while found := change_point(series[start:]):
        if not found.believed or abs(found.shift) <= tolerance:
            break
        start += found.index
    return start


def warm_up(call: Callable[[], object], stopwatch: Stopwatch, rule: SteadyRule) -> Warmth:
    """Call until the calls are steady, or the rule's time is over."""
    samples: list[float] = []
    spent, tested, start = 0.0, 0, 0
    while True:
        samples.append(stopwatch.seconds(call))
        spent += samples[-1]
        over = spent >= rule.limit_s * (1 if len(samples) >= _SMALLEST else _PATIENCE)
        due = len(samples) >= max(rule.calls, math.ceil(tested * (1 + rule.patience)))
        if not over and not (due and spent >= rule.seconds):
            continue
        tested = len(samples)
        # What was once seen to be warm-up stays that: among ever more calls, a few cold ones would be found no more.
        start += steady_from(samples[start:], rule.tolerance)
        stretch = samples[start:]
        enough = len(stretch) >= rule.calls or _slow_but_steady(stretch, rule)
        steady = enough and sum(stretch) >= rule.seconds
        if steady or over:
            return Warmth(
                calls=tested,
                seconds=spent,
                steady_from=start,
                steady=steady,
                call_s=float(np.median(stretch)),
            )


def _slow_but_steady(stretch: Sequence[float], rule: SteadyRule) -> bool:
    """Whether calls are as many as the time limit has room for, and their two halves overlap or differ by little.

    Ranks of so few calls can't show a change by the test above.
    """
    if len(stretch) < max(_SMALLEST, math.floor(rule.limit_s / max(float(np.median(stretch)), 1e-9))):
        return False
    first, second = np.array_split(np.asarray(stretch), 2)
    apart = first.min() > second.max() or first.max() < second.min()
    shift = abs(float(np.median(second)) / float(np.median(first)) - 1)
    return not (apart and shift > rule.tolerance)


def _within(series: NDArray[np.float64], index: int) -> float:
    """Return the lag-1 correlation about two sloping levels: a change or a trend itself is no noise that correlates."""
    return lag_1(np.concatenate([_levelled(part) for part in (series[:index], series[index:])]))


def _levelled(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the straight line through a stretch away from it; a rounding error is no residual."""
    places = np.arange(len(part)) - (len(part) - 1) / 2
    slope = float(places @ part) / max(1.0, float(places @ places))
    residual = part - part.mean() - slope * places
    return np.asarray(np.where(np.abs(residual) < 1e-9 * np.abs(part), 0.0, residual))
