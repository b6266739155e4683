"""The deviation from run to run, and what may be pooled into it.

This is *seed-to-seed* error: how far another run, with another seed, would lie, tested on the same pictures. How far the
same run would lie on other pictures is *sampling* error, that of `intervals.share_interval`; the two are never mixed.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_UNEQUAL = 0.50
"""Below this p of Bartlett's test deviations are not pooled: a cautious level, since few seeds tell little (decision 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A run-to-run standard deviation and how many degrees of freedom it was estimated with.

    Attributes:
        deviation: in the unit of the figures.
        freedom: n - 1 for one group of n runs; the sum over groups where several were pooled.
        groups: how many groups of runs it was pooled from.
    """

    deviation: float
    freedom: int
    groups: int = 1


def spread_of(values: Sequence[float]) -> Spread | None:
    """Return the deviation of one group of runs; None where one run, or runs alike to the last digit, tell nothing."""
    if len(values) < 2:
        return None
    deviation = statistics.stdev(values)
    # Equal figures are a coincidence of the test set's resolution, or one run counted twice.
    return Spread(deviation=deviation, freedom=len(values) - 1) if deviation > 1e-12 else None


def pooled(spreads: Sequence[Spread]) -> Spread | None:
    """Return one deviation for several groups, each weighing by its degrees of freedom; None for none."""
    if not spreads:
        return None
    freedom = sum(spread.freedom for spread in spreads)
    variance = sum(spread.freedom * spread.deviation**2 for spread in spreads) / freedom
    return Spread(
        deviation=math.sqrt(variance), freedom=freedom, groups=sum(spread.groups for spread in spreads)
    )


def alike(spreads: Sequence[Spread]) -> bool:
    """Whether deviations may be pooled: Bartlett's test finds no difference at 50 %.

    Source: Bartlett, Properties of sufficiency and statistical tests, Proceedings of the Royal Society A 160 (1937).
    """
    if len(spreads) < 2:
        return True
    from scipy.special import chdtrc

    freedom = sum(spread.freedom for spread in spreads)
    variance = sum(spread.freedom * spread.deviation**2 for spread in spreads) / freedom
    logs = sum(spread.freedom * math.log(spread.deviation**2) for spread in spreads)
    groups = len(spreads)
    correction = 1 + (sum(1 / spread.freedom for spread in spreads) - 1 / freedom) / (3 * (groups - 1))
    statistic = (freedom * math.log(variance) - logs) / correction
    return float(chdtrc(groups - 1, max(0.0, statistic))) >= _UNEQUAL
