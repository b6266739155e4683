"""One figure as a reader sees it: in its display unit, with no more digits than its interval supports, and its n."""

import math

from resbench.results import Epoch, Measurement, Result, Statistic
from resbench.statistics.intervals import Interval, median_interval, share_interval
from resbench.units import decimals_for, with_interval

NOT_RUN = "not run"
NONE = "-"


def interval_of(measurement: Measurement, test_samples: int | None = None) -> Interval | None:
    """Return the 95 % interval of a measurement, or None where it has none.

    The stored one is taken; where there is none, that of a median is made from its samples, that of a share from its n.

    Args:
        measurement: a latency, a throughput, an accuracy.
        test_samples: for an accuracy, how many samples it was read from.
    """
    if measurement.low is not None and measurement.high is not None:
        return Interval(low=measurement.low, high=measurement.high)
    if measurement.statistic is Statistic.MEDIAN:
        return median_interval(measurement.samples)
    if test_samples:
        return share_interval(measurement.value, test_samples)
    return None


def timing(measurement: Measurement | None, scale: float = 1.0) -> str:
    """Return a timing or a rate, times `scale`, with its interval and n: `12.3 [12.1, 12.6], n = 30`."""
    if measurement is None:
        return NOT_RUN
    return f"{_scaled(measurement.value, interval_of(measurement), scale)}, n = {measurement.n:,}"


def share(measurement: Measurement | None, test_samples: int | None = None) -> str:
    """Return a share in per cent, without the sign, with its interval: `89.98 [89.43, 90.50]`."""
    if measurement is None:
        return NOT_RUN
    return _scaled(measurement.value, interval_of(measurement, test_samples), 100.0)


def points(difference: float, interval: Interval | None) -> str:
    """Return a difference of shares in percentage points, with the digits an accuracy's interval supports."""
    digits = decimals_for(50 * (interval.high - interval.low)) if interval else 1
    return f"{100 * difference:+.{digits}f}"


def significant(value: float) -> str:
    """Return three significant digits at most, never in exponents: 12.3, 1,230."""
    rounded = float(f"{value:.3g}")
    if rounded == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _scaled(value: float, interval: Interval | None, scale: float) -> str:
    if interval is None:
        return significant(value * scale)
    return with_interval(value * scale, interval.low * scale, interval.high * scale)


def best_epoch(result: Result, metric: str) -> Epoch | None:
    """Return the first epoch with the best test accuracy in the reading as published.

    Args:
        result: a training result.
        metric: `top1` or `top5`.
    """
    tested = [epoch for epoch in result.epochs if epoch.test is not None]
    if not tested:
        return None
    return max(tested, key=lambda epoch: (getattr(epoch.test, f"{metric}_of_batches"), -epoch.number))


def test_samples(result: Result) -> int | None:
    """Return how many samples each test of a training result saw."""
    tests = [epoch.test for epoch in result.epochs if epoch.test is not None]
    return tests[-1].samples if tests else None
