"""Latency of a call and throughput of calls back to back, by a clock that can be replaced.

Calls on one machine are autocorrelated, so that a naive interval of their median covers it about a third of the time;
the intervals here resample blocks of consecutive calls. They hold for this process: another one may differ by more.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resbench.results import Measurement, Statistic, Unit

RESAMPLES = 2_000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopwatch:
    """What time is read from.

    Attributes:
        clock: seconds, monotonic.
        synchronise: returns when the device has finished all it was given; nothing to do on a CPU.
    """

    clock: Callable[[], float] = time.perf_counter
    synchronise: Callable[[], object] = lambda: None

    def seconds(self, call: Callable[[], object], times: int = 1) -> float:
        """Return the time of `times` calls back to back, from an idle device to an idle device."""
        self.synchronise()
        begin = self.clock()
        for _ in range(times):
            call()
        self.synchronise()
        return self.clock() - begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long is measured. A window, a round: at least one call, and at least so many seconds.

    Attributes:
        window_calls, window_s: a window of the warm-up has at least so many calls and seconds.
        tolerance: the warm-up ends when a window's median is not faster than the last one's by more than this share.
        warm_up_s: the warm-up ends after this time, settled or not.
        calls, budget_s: latency is sampled until one of them is reached ...
        calls_at_least: ... but never fewer calls than this.
        rounds, round_s: throughput is the median of so many rounds of so many seconds.
    """

    window_calls: int = 5
    window_s: float = 0.5
    tolerance: float = 0.03
    warm_up_s: float = 10.0
    calls: int = 500
    budget_s: float = 10.0
    calls_at_least: int = 10
    rounds: int = 15
    round_s: float = 0.3


STANDARD = Plan()
QUICK = Plan(window_s=0.1, warm_up_s=2.0, calls=50, budget_s=2.0, rounds=10, round_s=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What it took; `settled`: whether it ended because the calls no longer became faster."""

    calls: int
    seconds: float
    settled: bool


def warm_up(call: Callable[[], object], stopwatch: Stopwatch, plan: Plan) -> WarmUp:
    """Call until a window of calls is not faster than the one before, or the plan's time is over."""
    calls, seconds, last = 0, 0.0, math.inf
    while True:
        window: list[float] = []
        while len(window) < plan.window_calls or sum(window) < plan.window_s:
            window.append(stopwatch.seconds(call))
        calls, seconds = calls + len(window), seconds + sum(window)
        median = float(np.median(window))
        if median >= last * (1 - plan.tolerance):
            return WarmUp(calls=calls, seconds=seconds, settled=True)
        if seconds >= plan.warm_up_s:
            return WarmUp(calls=calls, seconds=seconds, settled=False)
        last = median


def measure_latency(call: Callable[[], object], stopwatch: Stopwatch, plan: Plan = STANDARD) -> Measurement:
    """Return `latency`: the median of single, synchronised calls. Warm up before."""
    samples: list[float] = []
    spent = 0.0
    while len(samples) < plan.calls_at_least or (len(samples) < plan.calls and spent < plan.budget_s):
        samples.append(stopwatch.seconds(call))
        spent += samples[-1]
    return _median("latency", samples, Unit.SECOND, "one synchronised call after warm-up")


def measure_throughput(
    call: Callable[[], object],
    stopwatch: Stopwatch,
    *,
    batch_size: int,
    latency_s: float,
    plan: Plan = STANDARD,
) -> Measurement:
    """Return `throughput` in images/s: the median of rounds of calls back to back, synchronised at the end of each.

    Args:
        call: one forward pass.
        stopwatch: what time is read from.
        batch_size: images in one call.
        latency_s: about how long one call takes, from which the length of a round follows.
        plan: how many rounds, and how long one is.
    """
    times = max(1, math.ceil(plan.round_s / latency_s))
    samples = [times * batch_size / stopwatch.seconds(call, times) for _ in range(plan.rounds)]
    method = f"rounds of {times} call{'s' if times > 1 else ''} back to back"
    return _median("throughput", samples, Unit.PER_SECOND, method)


def quartiles(samples: tuple[float, ...]) -> tuple[float, float]:
    """Return the first and the third quartile: the spread of single observations, not of their median."""
    first, third = np.quantile(samples, (0.25, 0.75))
    return float(first), float(third)


def interval_of_median(samples: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the median by the circular block bootstrap (percentile method).

    Args:
        samples: the observations in the order in which they were made.
        seed: of the resampling, so that the same samples always give the same interval.

    Source:
        Politis, Romano (1992): A circular block-resampling procedure for stationary data.
    """
    n = len(samples)
    length = block_length(samples)
    blocks = math.ceil(n / length)
    starts = np.random.default_rng(seed).integers(n, size=(RESAMPLES, blocks, 1))
    chosen = (starts + np.arange(length)).reshape(RESAMPLES, -1)[:, :n] % n
    medians = np.median(samples[chosen], axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians, (tail, 1 - tail))
    return float(low), float(high)


def block_length(samples: NDArray[np.float64]) -> int:
    """Return how many consecutive samples are resampled together.

    The length that is best for a first-order autoregressive series, with the lag-1 correlation of the samples' ranks
    (a median feels order, not outliers); never below the cube root of n, never above a quarter of it.

    Source:
        Politis, White (2004): Automatic block-length selection for the dependent bootstrap, section 3.2.
    """
    n = len(samples)
    ranks = np.argsort(np.argsort(samples, kind="stable"), kind="stable") - (n - 1) / 2
    lag_1 = min(0.95, max(0.0, float(ranks[:-1] @ ranks[1:] / max(1.0, float(ranks @ ranks)))))
    best = math.cbrt(1.5 * (2 * lag_1 / (1 - lag_1**2)) ** 2 * n)
    return max(1, math.ceil(min(max(best, math.cbrt(n)), n / 4)))


def _median(metric: str, samples: list[float], unit: Unit, method: str) -> Measurement:
    low, high = interval_of_median(np.asarray(samples))
    return Measurement(
        metric=metric,
        value=float(np.median(samples)),
        unit=unit,
        statistic=Statistic.MEDIAN,
        n=len(samples),
        low=low,
        high=high,
        method=method,
        samples=tuple(samples),
    )
