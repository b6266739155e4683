"""When to stop: once the interval of the median is narrow enough, or when the time is over, which is then said."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resbench.metrics.latency.intervals import Estimate, median_over_processes

_LOOK_AGAIN = 1.25
"""Samples grow by this factor between two looks: looking after each call would stop at lucky moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """What is enough.

    Attributes:
        precision: the interval's longer arm, as a share of the median, that ends the sampling.
        budget_s: sampling ends after this time, precise or not.
        samples_at_least: fewer are never called precise.
    """

    precision: float = 0.01
    budget_s: float = 20.0
    samples_at_least: int = 30


class Ended(NamedTuple):
    """Why sampling ended; `criterion` says what was not met, and is empty where all was."""

    met: bool
    criterion: str = ""


def is_met(estimate: Estimate, samples: int, rule: StopRule) -> bool:
    """Return whether an interval is narrow enough and rests on enough samples."""
    return samples >= rule.samples_at_least and estimate.relative_half_width <= rule.precision


def ended(estimate: Estimate, samples: int, spent_s: float, rule: StopRule) -> Ended:
    """Return how sampling ended, in words where it was not precise enough."""
    if is_met(estimate, samples, rule):
        return Ended(met=True)
    wanted = (
        f"the {rule.budget_s:g} s of the time budget ended" if spent_s >= rule.budget_s else "sampling ended"
    )
    if samples < rule.samples_at_least:
        return Ended(False, f"{wanted} after {samples} samples, of {rule.samples_at_least} at least")
    return Ended(
        False,
        f"{wanted} with the median known to +-{_percent(estimate.relative_half_width)}, "
        f"not to +-{_percent(rule.precision)}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def sample(
    draw: Callable[[], Sequence[float]], rule: StopRule, clock: Callable[[], float] = time.perf_counter
) -> tuple[list[float], Ended]:
    """Draw samples in one process until the rule is met or its time is over; the first draw always counts.

    Args:
        draw: returns the next samples, one at least.
        rule: what is enough.
        clock: seconds, monotonic; the budget counts all of the time between draws, too.
    """
    begin, found = clock(), list(draw())
    look = max(rule.samples_at_least, math.ceil(len(found) * _LOOK_AGAIN))
    while clock() - begin < rule.budget_s:
        if len(found) >= look:
            if is_met(median_over_processes([found]), len(found), rule):
                break
            look = math.ceil(len(found) * _LOOK_AGAIN)
        found.extend(draw())
    return found, ended(median_over_processes([found]), len(found), clock() - begin, rule)
