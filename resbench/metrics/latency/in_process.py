"""Latency and throughput within the process that asks: what a suite keeps of each of its models.

`resbench.trial.measuring` does the same over several fresh processes, whose differences are in its intervals.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from resbench.metrics.latency.clocks import Stopwatch, back_to_back, single_calls
from resbench.metrics.latency.intervals import interval_of_median
from resbench.metrics.latency.steady import SteadyRule, Warmth
from resbench.metrics.latency.steady import warm_up as _warm_up
from resbench.metrics.latency.stopping import Ended, StopRule, sample
from resbench.results import Measurement, Statistic, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long is measured.

    Attributes:
        steady: what ends the warm-up.
        stop: what ends the sampling of latency.
        rounds, round_s: throughput is the median of so many rounds of so many seconds.
    """

    steady: SteadyRule
    stop: StopRule
    rounds: int = 15
    round_s: float = 0.3


STANDARD = Plan(steady=SteadyRule(), stop=StopRule(budget_s=10.0, samples_at_least=10))
QUICK = Plan(
    steady=SteadyRule(seconds=0.1, limit_s=2.0),
    stop=StopRule(precision=0.02, budget_s=2.0, samples_at_least=10),
    rounds=10,
    round_s=0.05,
)


def warm_up(call: Callable[[], object], stopwatch: Stopwatch, plan: Plan) -> Warmth:
    """Call until the calls are steady, or the plan's time is over."""
    return _warm_up(call, stopwatch, plan.steady)


def measure_latency(
    call: Callable[[], object], stopwatch: Stopwatch, plan: Plan = STANDARD
) -> tuple[Measurement, Ended]:
    """Return `latency`, the median of single, synchronised calls, and why sampling ended. Warm up before."""
    found, reason = sample(
        lambda: single_calls(call, stopwatch, seconds=0.0, lead_in=0), plan.stop, stopwatch.clock
    )
    return _median("latency", found, Unit.SECOND, "one synchronised call after warm-up"), reason


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
    rounds = [
        back_to_back(call, stopwatch, seconds=plan.round_s, call_s=latency_s, lead_in=0)
        for _ in range(plan.rounds)
    ]
    samples = [batch_size * calls / seconds for calls, seconds in rounds]
    times = rounds[0].calls
    method = f"rounds of {times} call{'s' if times > 1 else ''} back to back"
    return _median("throughput", samples, Unit.PER_SECOND, method)


def _median(metric: str, samples: list[float], unit: Unit, method: str) -> Measurement:
    low, high = interval_of_median(samples)
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
