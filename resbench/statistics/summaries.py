"""Several runs as one figure: its statistic, its interval, and which error the interval is of.

Two errors are kept apart. *Seeds*: how far the figure would lie with other seeds, tested on the same pictures. *Test
pictures*: how far one run's share would lie on as many other pictures. Neither holds the other, and a summary says which.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from resbench.results import Statistic
from resbench.statistics.intervals import Interval, median_interval, share_interval
from resbench.statistics.spread import Spread, spread_of
from resbench.statistics.student import quantile
from resbench.units import decimals_for, with_interval


class Error(StrEnum):
    """What an interval leaves open."""

    SEEDS = "from seed to seed"
    TEST_PICTURES = "from the test pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A figure of one or several runs.

    Attributes:
        value: in the unit of the runs.
        statistic: how it was made from them.
        n: how many runs.
        interval: 95 %; None where the runs support none: `why` says so.
        error: what the interval is of.
        deviation: from run to run; None for one run.
        why: no interval: the reason.
    """

    value: float
    statistic: Statistic
    n: int
    interval: Interval | None
    error: Error
    deviation: float | None = None
    why: str = ""

    def shown(self, scale: float = 1.0) -> str:
        """Return the value, times `scale`, with its interval, to as many digits as that supports: `6.65 [6.47, 6.83]`."""
        if self.interval is None:
            digits = decimals_for(scale * self.deviation) if self.deviation else 2
            return f"{scale * self.value:.{digits}f}"
        return with_interval(scale * self.value, scale * self.interval.low, scale * self.interval.high)


def one_run(share: float, test_samples: int, statistic: Statistic = Statistic.SINGLE) -> Summary:
    """Return one run's accuracy or error with Wilson's interval: the error of sampling the test pictures."""
    return Summary(
        value=share,
        statistic=statistic,
        n=1,
        interval=share_interval(share, test_samples),
        error=Error.TEST_PICTURES,
    )


def over_seeds(
    values: Sequence[float],
    statistic: Statistic = Statistic.MEAN,
    *,
    lower_is_better: bool = False,
    spread: Spread | None = None,
) -> Summary:
    """Return several runs, one a seed, as one figure: the error from seed to seed.

    A mean has Student's interval. A median has that of order statistics, which six runs are the first to support: that of
    five holds in 93.75 % only. A best has none.

    Args:
        values: of each run.
        statistic: MEAN, MEDIAN or BEST.
        lower_is_better: which is the best: of errors, the least.
        spread: a deviation pooled with other runs, for the interval of a mean; default: that of `values`.

    Raises:
        ValueError: there are no runs, or the statistic is another.
    """
    if not values:
        raise ValueError("no runs to summarise")
    n, own = len(values), spread_of(values)
    if statistic is Statistic.MEAN:
        value, interval, why = statistics.fmean(values), None, "one run says nothing of the spread"
        used = spread or own
        if used is not None:
            reach = quantile(used.freedom) * used.deviation / n**0.5
            interval, why = Interval(low=value - reach, high=value + reach), ""
        elif n > 1:
            why = "the runs are alike to the last digit"
    elif statistic is Statistic.MEDIAN:
        value, interval = statistics.median(values), _median_of_runs(values)
        why = "" if interval else f"95 % of a median take 6 runs, not {n}"
    elif statistic is Statistic.BEST:
        value, interval = (min if lower_is_better else max)(values), None
        why = f"a best has no interval, and n = {n} belongs to it"
    else:
        raise ValueError(f"runs are summarised by mean, median or best, not by {statistic}")
    deviation = own.deviation if own else None
    return Summary(
        value=value,
        statistic=statistic,
        n=n,
        interval=interval,
        error=Error.SEEDS,
        deviation=deviation,
        why=why,
    )


def _median_of_runs(values: Sequence[float]) -> Interval | None:
    # Seeds are independent, whatever their order: laid out alternately, no two neighbours are alike.
    ordered = sorted(values)
    half = (len(ordered) + 1) // 2
    mixed = [value for pair in zip(ordered[:half], ordered[half:], strict=False) for value in pair]
    return median_interval(mixed + ordered[half - 1 : half] * (len(ordered) % 2))
