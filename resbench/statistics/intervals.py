"""95 % intervals: of a share, of the difference of two shares, and of the median of timings in sequence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A range that holds the true value in 95 of 100 repetitions; in the unit of what it was made from."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def share_interval(share: float, n: int) -> Interval:
    """Return Wilson's score interval of a share of `n` independent samples, without continuity correction.

    The formula is written out because a published reading, a mean of batch means, is seldom a whole number of samples,
    which scipy's version asks for.

    Source: Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
    method 3.

    Raises:
        ValueError: the share is not within 0 and 1, or `n` is not positive.
    """
    if not 0 <= share <= 1 or n < 1:
        raise ValueError(f"a share lies between 0 and 1 and has samples: {share!r} of {n}")
    z2 = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) ** 2
    centre = (2 * n * share + z2) / (2 * (n + z2))
    half = math.sqrt(z2 * (z2 + 4 * n * share * (1 - share))) / (2 * (n + z2))
    # Where all or none succeeded, the formula's end is the share itself but for rounding.
    return Interval(low=max(0.0, min(centre - half, share)), high=min(1.0, max(centre + half, share)))


def difference_interval(share: float, n: int, other: float, other_n: int) -> Interval:
    """Return the interval of `share - other`, each of its own independent samples.

    Two networks tested on the same pictures agree more than two on different pictures would, so that for them the
    interval is too wide rather than too narrow.

    Source: Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine
    17 (1998), method 10: the two Wilson intervals combined.

    Raises:
        ValueError: as `share_interval`.
    """
    first, second = share_interval(share, n), share_interval(other, other_n)
    difference = share - other
    return Interval(
        low=difference - math.hypot(share - first.low, second.high - other),
        high=difference + math.hypot(first.high - share, other - second.low),
    )


def median_interval(samples: Sequence[float]) -> Interval | None:
    """Return the interval of the median of observations made one after another, or None where they are too few.

    It ends at two of the observations themselves (order statistics): which two follows from the binomial
    distribution, for as many observations as these are worth. Neighbouring timings resemble each other, so that 200
    of them are worth fewer than 200 independent ones; `worth` says how many. No shape is assumed of the distribution.

    The interval speaks of this one sequence: what differs between processes or days is not in it.

    Source: for independent observations, Conover, Practical Nonparametric Statistics, section 3.2 (quantiles).
    """
    ordered = np.sort(np.asarray(samples, dtype=float))
    n = len(ordered)
    if n == 0:
        return None
    effective = max(1, math.floor(worth(samples)))
    rank = _lower_rank(effective)
    if rank == 0:
        return None
    # The rank among `effective` observations, carried over to all of them, and away from the median where between two.
    below = max(1, math.floor(rank * n / effective))
    return Interval(low=float(ordered[below - 1]), high=float(ordered[n - below]))


def worth(samples: Sequence[float]) -> float:
    """Return how many independent observations a sequence is worth for its median.

    n / (1 + 2 x the sum of the autocorrelations of "lies above the median"), summed up to the first that is not
    positive. It never exceeds n.
    """
    values = np.asarray(samples, dtype=float)
    n = len(values)
    above = (values > np.median(values)).astype(float)
    above -= above.mean()
    variance = float(above @ above)
    if variance == 0:
        return float(n)
    total = 0.0
    for lag in range(1, n):
        correlation = float(above[:-lag] @ above[lag:]) / variance
        if correlation <= 0:
            break
        total += correlation
    return n / (1 + 2 * total)


def _lower_rank(n: int) -> int:
    """Return the rank (from 1) of the interval's lower end among `n`; 0 where n is too small for any.

    P(fewer than `rank` of n fall below the median) must not exceed 2.5 %.
    """
    # Exact, in whole numbers: C(n, 0) + C(n, 1) + ... against 2.5 % of 2**n. (scipy takes seconds to import.)
    coefficient, total, rank = 1, 1, 0
    while 40 * total <= 2**n:
        coefficient = coefficient * (n - rank) // (rank + 1)
        rank += 1
        total += coefficient
    return rank
