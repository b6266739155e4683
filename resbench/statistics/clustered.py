"""95 % intervals of shares and means whose observations come in clusters: crops of one picture, for instance.

Two crops of one photograph share light, place and photographer, so that they are right or wrong together more often
than two of different ones: 12,032 crops of 4,952 pictures are worth fewer than 12,032 independent samples. The variance
here is that of the clusters' totals, so that whatever resembles within a cluster is in it; the quantile is Student's
with one degree of freedom less than there are clusters (for a mean over groups Satterthwaite's, where they are fewer).

Where each observation is a cluster of its own, the interval of a share is Wilson's, as in `resbench.statistics.intervals`.

Source: Cochran, Sampling Techniques, 3rd ed. (1977), section 9A (a ratio estimated from clusters); Korn and Graubard,
Confidence intervals for proportions with small expected number of positive counts estimated from survey data, Survey
Methodology 24 (1998) (the effective number of observations); Dean and Pagano, Evaluating confidence interval methods
for binomial proportions in clustered surveys, J. Survey Statistics and Methodology 3 (2015) (Wilson's form of it).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from resbench.statistics.intervals import Interval, share_interval
from resbench.statistics.student import quantile


class Estimate(NamedTuple):
    """A figure with its interval.

    Attributes:
        value: the share or mean.
        interval: None where one cluster is all there is.
        n: observations.
        clusters: how many draws they are from.
    """

    value: float
    interval: Interval | None
    n: int
    clusters: int


def share_of(right: Sequence[bool], clusters: Sequence[int]) -> Estimate:
    """Return the share of observations that are true.

    Args:
        right: the observations.
        clusters: the cluster of each, any whole number.

    Raises:
        ValueError: there is no observation.
    """
    right_N = _observations(right, clusters)
    value = float(right_N.mean())
    count = len(set(clusters))
    if count == len(right_N):
        return Estimate(value, share_interval(value, count), len(right_N), count)
    variance = _variance((right_N - value) / len(right_N), clusters)
    return Estimate(value, _wilson(value, variance, len(right_N), count), len(right_N), count)


def mean_share_of(right: Sequence[bool], groups: Sequence[int], clusters: Sequence[int]) -> Estimate:
    """Return the mean over groups of the share within each: the mean per-class accuracy, where groups are classes.

    Every group counts the same, however many observations it has; groups without any are not counted.

    Raises:
        ValueError: there is no observation.
    """
    right_N = _observations(right, clusters)
    _, group_N, sizes_G = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    shares_G = np.bincount(group_N, weights=right_N) / sizes_G
    value = float(shares_G.mean())
    # A share estimated from m observations lies nearer to them than the true one: m / (m - 1) puts that right. Of a
    # lone observation nothing can be said but what all groups together say.
    scale_G = np.sqrt(sizes_G / np.maximum(sizes_G - 1, 1))
    residuals_N = (right_N - shares_G[group_N]) * scale_G[group_N]
    residuals_N[sizes_G[group_N] == 1] = math.sqrt(value * (1 - value))
    influence_N = residuals_N / (sizes_G[group_N] * len(sizes_G))
    count = len(set(clusters))
    freedom = min(count - 1.0, _satterthwaite(np.bincount(group_N, weights=influence_N**2), sizes_G))
    interval = _wilson(value, _variance(influence_N, clusters), len(right_N), count, freedom)
    return Estimate(value, interval, len(right_N), count)


def _satterthwaite(variances_G: Any, sizes_G: Any) -> float:
    """Return the degrees of freedom of a sum of variances, each estimated from so many observations.

    A few small groups that decide the sum make it as uncertain as they are.
    """
    uncertainty = float((variances_G**2 / np.maximum(sizes_G - 1, 1)).sum())
    return float(variances_G.sum()) ** 2 / uncertainty if uncertainty > 0 else math.inf


def mean_of(values: Sequence[float], clusters: Sequence[int]) -> Estimate:
    """Return the mean of the values with its t interval.

    Raises:
        ValueError: there is no observation.
    """
    values_N = _observations(values, clusters)
    value, count = float(values_N.mean()), len(set(clusters))
    if count < 2:
        return Estimate(value, None, len(values_N), count)
    half = quantile(count - 1) * math.sqrt(_variance((values_N - value) / len(values_N), clusters))
    return Estimate(value, Interval(low=value - half, high=value + half), len(values_N), count)


def _observations(values: Sequence[float], clusters: Sequence[int]) -> Any:
    if not len(values) or len(values) != len(clusters):
        raise ValueError(
            f"{len(values)} observations in clusters of {len(clusters)}: one or more of each, as many"
        )
    return np.asarray(values, dtype=float)


def _variance(influence_N: Any, clusters: Sequence[int]) -> float:
    """Return the variance of an estimate from what each observation adds to it: of the sums over clusters."""
    _, cluster_N = np.unique(np.asarray(clusters), return_inverse=True)
    sums_C = np.bincount(cluster_N, weights=influence_N)
    return float(sums_C @ sums_C) * len(sums_C) / max(len(sums_C) - 1, 1)


def _wilson(
    value: float, variance: float, n: int, clusters: int, freedom: float | None = None
) -> Interval | None:
    """Return Wilson's interval for as many independent observations as would vary this much, and never more than `n`."""
    if clusters < 2:
        return None
    # Where nothing varies (all right, or all wrong), each cluster is worth one observation.
    worth = (
        min(float(n), value * (1 - value) / variance) if variance > 0 and 0 < value < 1 else float(clusters)
    )
    t2 = quantile(clusters - 1 if freedom is None else freedom) ** 2
    centre = (2 * worth * value + t2) / (2 * (worth + t2))
    half = math.sqrt(t2 * (t2 + 4 * worth * value * (1 - value))) / (2 * (worth + t2))
    return Interval(low=max(0.0, min(centre - half, value)), high=min(1.0, max(centre + half, value)))
