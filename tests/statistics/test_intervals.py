import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.statistics.intervals import difference_interval, median_interval, share_interval, worth

scipy_stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_the_worked_examples(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17:857-872, Table I, method 3."""
    interval = share_interval(successes / n, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(n=st.integers(1, 50_000), part=st.floats(0, 1))
def test_wilson_agrees_with_scipy(n: int, part: float) -> None:
    successes = round(n * part)
    theirs = scipy_stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    interval = share_interval(successes / n, n)
    assert interval.low == pytest.approx(theirs.low, abs=1e-12)
    assert interval.high == pytest.approx(theirs.high, abs=1e-12)
    assert successes / n in interval


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_the_difference_agrees_with_the_worked_examples(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17:873-890, Table II, method 10."""
    interval = difference_interval(first[0] / first[1], first[1], second[0] / second[1], second[1])
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(("share", "n"), [(1.01, 10), (-0.01, 10), (0.5, 0), (math.nan, 10)])
def test_what_is_no_share_is_refused(share: float, n: int) -> None:
    with pytest.raises(ValueError, match="a share lies between 0 and 1"):
        share_interval(share, n)


@pytest.mark.parametrize(
    ("n", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (50, 18), (100, 40)]
)
def test_the_ends_of_a_median_are_the_tabled_order_statistics(n: int, rank: int) -> None:
    """Ranks of the 95 % interval of a median, as any table of the sign test gives them: 6 and 15 of 20."""
    # Every second value lies above the median, so that neighbours are never alike.
    order = np.empty(n)
    order[0::2] = range(1, n - n // 2 + 1)
    order[1::2] = range(n - n // 2 + 1, n + 1)
    interval = median_interval(order.tolist())
    assert interval is not None
    assert (interval.low, interval.high) == (rank, n + 1 - rank)


@given(st.lists(st.floats(0.001, 1.0), min_size=0, max_size=60))
def test_a_median_interval_ends_at_observations_around_the_median(samples: list[float]) -> None:
    interval = median_interval(samples)
    if interval is None:
        assert len(samples) < 6 or worth(samples) < 6
    else:
        assert interval.low <= float(np.median(samples)) <= interval.high
        assert {interval.low, interval.high} <= set(samples)


def test_independent_observations_are_worth_their_number() -> None:
    draws = np.random.default_rng(1).normal(size=(200, 400))
    assert np.mean([worth(row.tolist()) for row in draws]) == pytest.approx(400, rel=0.15)


def test_it_covers_the_median_of_observations_that_resemble_their_neighbours() -> None:
    # First-order autoregressive: lag-1 correlation 0.7, as timings on a busy machine have. The naive interval, taken
    # from independent order statistics, is the comparison that must fail here.
    rng = np.random.default_rng(7)
    covered, naive = 0, 0
    for _ in range(400):
        noise = rng.normal(size=300)
        series = list(itertools.accumulate(noise, lambda last, new: 0.7 * last + new))
        interval = median_interval(series)
        covered += interval is not None and 0 in interval
        ordered = sorted(series)
        rank = int(scipy_stats.binom.ppf(0.025, 300, 0.5))
        naive += ordered[rank - 1] <= 0 <= ordered[300 - rank]
    assert covered / 400 > 0.88
    assert naive / 400 < 0.75
