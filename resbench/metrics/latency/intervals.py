"""95 % intervals of medians and of ratios of medians: within one process, and over several.

Calls on one machine are autocorrelated, so that a naive interval of their median covers it about a third of the time.
Within a process blocks of consecutive calls are resampled; over several processes the spread between them decides,
because a process keeps for life the memory pages and the cores that it got.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
CONFIDENCE = 0.95
_Z = 1.959963984540054
_HIGHEST_CORRELATION = 0.95
_EXACT_STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706)

Samples = Sequence[float] | NDArray[np.float64]


class Estimate(NamedTuple):
    """A figure and its 95 % interval, in the unit of what it was made from."""

    value: float
    low: float
    high: float

    @property
    def relative_half_width(self) -> float:
        """The longer arm of the interval as a share of the value."""
        if self.value == 0:
            return math.inf
        return max(self.high - self.value, self.value - self.low) / abs(self.value)


class Percentile(NamedTuple):
    """`share` (0.99) of the observations lie at or below `value`."""

    share: float
    value: float


def interval_of_median(samples: Samples, *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the median by the circular block bootstrap.

    A bootstrap of few blocks is too narrow. The percentile interval is therefore widened about the median by what is
    known to be missing: Student's t for the number of blocks, the small-sample factor of a variance, and the
    correlation beyond the length of a block (that of a first-order autoregressive series).

    Args:
        samples: the observations in the order in which they were made.
        seed: of the resampling, so that the same samples always give the same interval.

    Source:
        Politis, Romano (1992): A circular block-resampling procedure for stationary data; for the widening,
        Hesterberg (2015): What teachers should know about the bootstrap, The American Statistician 69(4), section 5.
    """
    observed = np.asarray(samples, dtype=np.float64)
    n, median = len(observed), float(np.median(observed))
    if n < 2:
        return median, median
    length = block_length(observed)
    blocks = n / length
    starts = np.random.default_rng(seed).integers(n, size=(RESAMPLES, math.ceil(blocks), 1))
    chosen = (starts + np.arange(length)).reshape(RESAMPLES, -1)[:, :n] % n
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.median(observed[chosen], axis=1), (tail, 1 - tail))
    factor = student(max(1.0, blocks - 1)) / _Z * math.sqrt(blocks / max(1.0, blocks - 1))
    factor *= math.sqrt(_beyond_blocks(_unbiased_lag_1(observed), length))
    return (
        max(float(observed.min()), median - factor * (median - float(low))),
        min(float(observed.max()), median + factor * (float(high) - median)),
    )


def block_length(samples: Samples) -> int:
    """Return how many consecutive samples are resampled together.

    The length that is best for a first-order autoregressive series, with the lag-1 correlation of the samples' ranks
    (a median feels order, not outliers); never below the cube root of n, never above a quarter of it.

    Source:
        Politis, White (2004): Automatic block-length selection for the dependent bootstrap, section 3.2.
    """
    n, correlation = len(samples), _unbiased_lag_1(samples)
    best = math.cbrt(1.5 * (2 * correlation / (1 - correlation**2)) ** 2 * n)
    return max(1, math.ceil(min(max(best, math.cbrt(n)), n / 4)))


def lag_1(samples: Samples) -> float:
    """Return the correlation of neighbours' ranks, kept within 0 and 0.95."""
    ranks = centred_ranks(np.asarray(samples, dtype=np.float64))
    found = float(ranks[:-1] @ ranks[1:] / max(1.0, float(ranks @ ranks)))
    return min(_HIGHEST_CORRELATION, max(0.0, found))


def centred_ranks(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks that sum to zero; equal values share their mean rank."""
    _, inverse, counts = np.unique(series, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    centred: NDArray[np.float64] = mean_ranks[inverse] - (len(series) + 1) / 2
    return centred


def effective_number(samples: Samples) -> float:
    """Return how many independent observations these autocorrelated ones are worth, for their median."""
    if len(samples) < 2:
        return float(len(samples))
    correlation = _unbiased_lag_1(samples)
    return len(samples) * (1 - correlation) / (1 + correlation)


def median_over_processes(processes: Sequence[Samples]) -> Estimate:
    """Return the median of a duration or a rate over several fresh processes, each with its own samples in order.

    The value is the middle of the processes' medians (see `centre`). The interval is Student's, from the spread of the
    processes' medians, and never narrower than what the samples within the processes allow; both on the logarithms,
    for what differs between processes is a factor. One process alone knows nothing of others: its interval is the one
    within it.

    Raises:
        ValueError: no process has a sample, or one of them is not positive.
    """
    observed = [np.asarray(samples, dtype=np.float64) for samples in processes if len(samples)]
    if any(samples.min() <= 0 for samples in observed):
        raise ValueError("a duration or a rate is positive")
    return Estimate(*(math.exp(end) for end in _over_processes([np.log(samples) for samples in observed])))


def ratio_over_processes(pairs: Sequence[tuple[Samples, Samples]]) -> Estimate:
    """Return the ratio first/second of two arms whose rounds were interleaved, over several processes.

    Within a process the ratio is the median of the ratios of each round's two medians, which drift common to both arms
    does not touch; over processes as in `median_over_processes`, on the logarithms.

    Args:
        pairs: for each process, the rounds' medians of the first and of the second arm, in order; a round of one arm
            stands beside the same round of the other.

    Raises:
        ValueError: no process has a round, or the two arms of one differ in their number of rounds.
    """
    logs = [np.log(np.asarray(first)) - np.log(np.asarray(second)) for first, second in pairs if len(first)]
    return Estimate(*(math.exp(end) for end in _over_processes(logs)))


def centre(values: Sequence[float]) -> float:
    """Return the Hodges-Lehmann centre: the median of the means of all pairs, each value with itself too.

    Nearly as exact as the mean where values scatter evenly (95 %), and not moved by one that is far off.

    Source:
        Hodges, Lehmann (1963): Estimates of location based on rank tests, section 4.
    """
    numbers = np.asarray(values, dtype=np.float64)
    first, second = np.triu_indices(len(numbers))
    return float(np.median((numbers[first] + numbers[second]) / 2))


def percentiles(
    processes: Sequence[Samples], shares: Sequence[float] = (0.5, 0.9, 0.95, 0.99)
) -> list[Percentile]:
    """Return those percentiles that the samples support, pooled over the processes.

    A percentile is supported where its own 95 % interval is closed by observations: where all of the effectively
    independent ones lie below it with a probability of at most 2.5 %. That takes 36 for p90, 72 for p95, 368 for p99.
    """
    pooled = np.concatenate([np.asarray(samples, dtype=np.float64) for samples in processes])
    effective = sum(effective_number(samples) for samples in processes)
    supported = [share for share in shares if effective >= needed_for(share)]
    return [Percentile(share, float(np.quantile(pooled, share))) for share in supported]


def needed_for(share: float) -> int:
    """Return how many independent observations a percentile needs: the smallest n with share**n <= 2.5 %."""
    farther = max(share, 1 - share)
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(farther))


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile: the spread of single observations, not of their median."""
    first, third = np.quantile(samples, (0.25, 0.75))
    return float(first), float(third)


def student(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t distribution, to 0.05 % (scipy takes seconds to import).

    Source:
        Abramowitz, Stegun (1964): Handbook of Mathematical Functions, 26.7.5; below 5, its logarithm is interpolated in 1/freedom between
        the exact values 12.7062, 4.3027, 3.1824, 2.7764, 2.5706.
    """
    if freedom < 5:
        places = 1 / np.arange(5, 0, -1)
        return math.exp(float(np.interp(1 / max(1.0, freedom), places, np.log(_EXACT_STUDENT[::-1]))))
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def _over_processes(observed: Sequence[NDArray[np.float64]]) -> Estimate:
    if not observed:
        raise ValueError("an interval needs at least one process with samples")
    medians = [float(np.median(samples)) for samples in observed]
    within = [interval_of_median(samples) for samples in observed]
    if len(medians) == 1:
        return Estimate(medians[0], *within[0])
    return _combined(medians, [(high - low) / (2 * _Z) for low, high in within])


def _combined(centres: Sequence[float], errors: Sequence[float]) -> Estimate:
    """Return the estimate over processes from each one's median and the standard error of it."""
    number = len(centres)
    spread = float(np.std(centres, ddof=1)) / math.sqrt(number)
    within = math.hypot(*errors) / number
    half = max(student(number - 1) * spread, _Z * within)
    middle = centre(centres)
    return Estimate(middle, middle - half, middle + half)


def _unbiased_lag_1(samples: Samples) -> float:
    """Return the lag-1 correlation; a short series shows (1 + 3 r) / n too little of it (Kendall 1954)."""
    found, n = lag_1(samples), len(samples)
    return min(_HIGHEST_CORRELATION, found + (1 + 3 * found) / n) if n else 0.0


def _beyond_blocks(correlation: float, length: int) -> float:
    """Return by what factor blocks of a length understate the variance of an autoregressive series' mean."""
    lags = np.arange(1, length)
    seen = 1 + 2 * float(np.sum((1 - lags / length) * correlation**lags))
    return (1 + correlation) / (1 - correlation) / seen
