"""Several runs of ours summarised as the published figure summarises its own, and the error of the difference.

| published | ours | variance of the difference, in squared run-to-run deviations |
| --- | --- | --- |
| one run, or n not stated | mean of n | 1 / n + 1: a prediction interval |
| mean of m | mean of n | 1 / n + 1 / m |
| median of m | median of n | v(n) + v(m), v as in `normal_order.median_variance` |
| best of m | best of n = m | drawn (`best_draws.best_factor`), more than 2 w(m) |
| best of m | n other than m: mean and e(m) deviations | drawn, more than 1 / n + w(m) + e(m)**2 / (2 x freedom) |

e and w are the moments of `normal_order.best_of`. Both sides are taken to deviate from run to run by the same amount:
they followed one protocol. All but the first two lines suppose normal runs.
"""

import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from resbench.results import Statistic
from resbench.specs import Published
from resbench.statistics.best_draws import best_factor
from resbench.statistics.normal_order import best_of, median_variance
from resbench.statistics.spread import Spread
from resbench.statistics.student import quantile, two_sided


class Route(StrEnum):
    """By which summary of our runs a published figure is compared."""

    MEAN = "mean"
    MEDIAN = "median"
    BEST = "best"
    EXPECTED_BEST = "expected best"


def route_of(published: Published, n: int) -> Route:
    """Return how `n` runs are summarised to be like the published figure."""
    if published.runs > 1 and published.statistic is Statistic.MEDIAN:
        return Route.MEDIAN
    if published.runs > 1 and published.statistic is Statistic.BEST:
        return Route.BEST if n == published.runs else Route.EXPECTED_BEST
    return Route.MEAN


def summary_of(published: Published, values: Sequence[float], spread: Spread) -> float:
    """Return our runs in the published statistic, in the unit of the figure."""
    route = route_of(published, len(values))
    if route is Route.MEDIAN:
        return statistics.median(values)
    if route is Route.BEST:
        return min(values) if published.lower_is_better else max(values)
    mean = statistics.fmean(values)
    if route is Route.MEAN:
        return mean
    gain = best_of(published.runs).mean * spread.deviation
    return mean - gain if published.lower_is_better else mean + gain


def variance_factor(published: Published, n: int, freedom: int) -> float:
    """Return the variance of the difference in squares of the run-to-run deviation (see the module's table).

    Args:
        published: the figure and how many runs are behind it.
        n: how many runs are ours.
        freedom: degrees of freedom of the deviation.
    """
    route, theirs = route_of(published, n), published.runs
    if route is Route.MEDIAN:
        return median_variance(n) + median_variance(theirs)
    if route in (Route.BEST, Route.EXPECTED_BEST):
        return best_factor(n, theirs, freedom - (n - 1))
    return 1 / n + (1 / theirs if published.statistic is Statistic.MEAN else 1.0)


def said_of_ours(published: Published, n: int) -> str:
    """Return what our figure is: `mean of 5 runs`."""
    route = route_of(published, n)
    if n == 1 and route is not Route.EXPECTED_BEST:
        return "one run"
    if route is Route.EXPECTED_BEST:
        deviations = best_of(published.runs).mean
        return (
            f"mean of {n} run{'s' if n > 1 else ''} moved by {deviations:.2f} deviations to where the best of "
            f"{published.runs} normal runs is expected"
        )
    return f"{route} of {n} runs"


def said_of_theirs(published: Published) -> str:
    """Return what the published figure is: `median of 5`, `one run`, `n not stated, taken as one run`."""
    if published.runs > 1:
        return f"{published.statistic} of {published.runs}"
    return "n not stated, taken as one run" if published.n is None else "one run"


class Contrast(NamedTuple):
    """A comparison of figures; `difference` is ours less theirs, in the figure's unit."""

    published: Published
    n: int
    ours: float
    difference: float
    error: float
    spread: Spread

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval of the difference."""
        return self.error * quantile(self.spread.freedom)

    @property
    def p(self) -> float:
        """Of the difference, two-sided, before any correction."""
        return two_sided(self.difference / self.error, self.spread.freedom)

    @property
    def gain(self) -> float:
        """The difference, positive where ours is the better one."""
        return -self.difference if self.published.lower_is_better else self.difference
