"""Intervals against simulated series whose true median is known, and against scipy and closed forms."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resbench.metrics.latency.intervals import (
    Estimate,
    block_length,
    centre,
    effective_number,
    interval_of_median,
    median_over_processes,
    needed_for,
    percentiles,
    quartiles,
    ratio_over_processes,
    student,
)

scipy_stats = pytest.importorskip("scipy.stats")


def autoregressive(rho: float, n: int, rng: np.random.Generator, series: int = 1) -> NDArray[np.float64]:
    """First-order series (a row each) of median 0, variance 1 and lag-1 correlation rho."""
    found = np.empty((series, n))
    found[:, 0] = rng.standard_normal(series)
    for index in range(1, n):
        found[:, index] = rho * found[:, index - 1] + math.sqrt(1 - rho**2) * rng.standard_normal(series)
    return found


def share_covered(
    rho: float, n: int, series: int, interval: Callable[[NDArray[np.float64]], tuple[float, float]]
) -> float:
    rng = np.random.default_rng(7)
    ends = [interval(row) for row in autoregressive(rho, n, rng, series)]
    return float(np.mean([low <= 0 <= high for low, high in ends]))


def naive(samples: NDArray[np.float64]) -> tuple[float, float]:
    """The bootstrap that takes calls for independent."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(samples, (300, len(samples))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return float(low), float(high)


@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5, 0.75])
def test_the_interval_covers_the_median_of_autocorrelated_calls(rho: float) -> None:
    # Lag-1 correlations of 0.1-0.5 (two threads) and 0.75 (one) were seen in forward passes of resnet18.
    assert share_covered(rho, 200, 300, interval_of_median) >= 0.93


def test_the_naive_interval_does_not() -> None:
    assert share_covered(0.75, 200, 200, naive) < 0.75


def skewed(process: float, rng: np.random.Generator, n: int = 60) -> NDArray[np.float64]:
    """Calls of one process: a level of its own, correlated noise, and one call in ten that takes twice as long."""
    noise = autoregressive(0.5, n, rng)[0]
    outliers = np.where(rng.random(n) < 0.1, 2.0, 1.0)
    return np.asarray(process * np.exp(0.01 * noise) * outliers)


def true_median() -> float:
    calls = skewed(1.0, np.random.default_rng(1), 200_000)
    return float(np.median(calls))


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_the_interval_over_processes_covers_what_another_process_would_find(processes: int) -> None:
    rng, truth = np.random.default_rng(5), true_median()
    held = []
    for _ in range(200):
        levels = np.exp(0.02 * rng.standard_normal(processes))
        found = median_over_processes([skewed(level, rng) for level in levels])
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.91  # 95 % less two standard errors of 200 simulations


def test_within_one_process_the_interval_misses_the_others() -> None:
    rng, truth = np.random.default_rng(5), true_median()
    held = []
    for _ in range(100):
        level = float(np.exp(0.02 * rng.standard_normal()))
        found = median_over_processes([skewed(level, rng)])
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) < 0.6


def test_interleaved_arms_share_drift_and_their_ratio_does_not() -> None:
    rng = np.random.default_rng(3)
    held, widths = [], []
    for _ in range(100):
        pairs = []
        for _process in range(5):
            drift = np.exp(np.cumsum(0.02 * rng.standard_normal(40)))
            first = drift * 1.05 * np.exp(0.01 * rng.standard_normal(40))
            second = drift * np.exp(0.01 * rng.standard_normal(40))
            pairs.append((first, second))
        found = ratio_over_processes(pairs)
        held.append(found.low <= 1.05 <= found.high)
        widths.append(found.relative_half_width)
    assert np.mean(held) >= 0.93
    assert np.median(widths) < 0.01  # while each arm alone drifts by 0.02 x sqrt(40) = 13 %


def test_a_ratio_of_equal_arms_is_one() -> None:
    assert ratio_over_processes([([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])] * 3) == Estimate(1.0, 1.0, 1.0)


def test_what_has_no_samples_or_no_positive_ones_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one process"):
        median_over_processes([])
    with pytest.raises(ValueError, match="positive"):
        median_over_processes([[0.1, 0.0]])


def test_the_centre_is_that_of_hodges_and_lehmann() -> None:
    # Means of all pairs of (1, 2, 30): 1, 1.5, 15.5, 2, 16, 30; their median is (2 + 15.5) / 2.
    assert centre([1.0, 2.0, 30.0]) == 8.75
    assert centre([5.0]) == 5.0
    assert centre([1.0, 2.0]) == 1.5
    # One of five that is far off moves it by the step of one neighbour at most.
    assert centre([1.0, 1.01, 0.99, 1.0, 9.0]) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 6, 8, 11, 20, 60, 1000])
def test_students_quantile_is_scipys(freedom: int) -> None:
    assert student(freedom) == pytest.approx(float(scipy_stats.t.ppf(0.975, freedom)), rel=5e-4)


@settings(max_examples=50)
@given(freedom=st.floats(1, 500))
def test_students_quantile_between_whole_numbers_is_near(freedom: float) -> None:
    assert student(freedom) == pytest.approx(float(scipy_stats.t.ppf(0.975, freedom)), rel=0.03)


def test_percentiles_are_given_only_where_enough_calls_support_them() -> None:
    # The smallest n with q**n <= 2.5 %: the largest of n then closes the percentile's interval.
    assert [needed_for(share) for share in (0.5, 0.9, 0.95, 0.99)] == [6, 36, 72, 368]
    rng = np.random.default_rng(0)
    shares = [found.share for found in percentiles([rng.random(30), rng.random(30)])]
    assert shares == [0.5, 0.9]
    assert [found.share for found in percentiles([rng.random(500)])] == [0.5, 0.9, 0.95, 0.99]
    # 500 calls of which neighbours are nearly the same are worth far fewer.
    assert [found.share for found in percentiles([autoregressive(0.95, 500, rng)[0]])][-1] < 0.99


def test_effective_number_is_that_of_an_autoregressive_series() -> None:
    series = autoregressive(0.6, 20_000, np.random.default_rng(2))[0]
    # n (1 - r) / (1 + r), with Spearman's r of a normal series: 6 / pi x asin(0.6 / 2).
    spearman = 6 / math.pi * math.asin(0.3)
    assert effective_number(series) == pytest.approx(20_000 * (1 - spearman) / (1 + spearman), rel=0.05)
    assert effective_number([1.0]) == 1.0


def test_blocks_grow_with_the_correlation_within_bounds() -> None:
    rng = np.random.default_rng(1)
    lengths = [block_length(autoregressive(rho, 1000, rng)[0]) for rho in (0.0, 0.5, 0.75, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 10  # the cube root of n
    # Politis and White 2004, for an AR(1): (1.5 (2 rho / (1 - rho^2))^2 n)^(1/3) = 26.0 at rho = 0.75.
    assert lengths[2] == pytest.approx(26.0, rel=0.25)
    assert block_length(np.arange(1000.0)) == 83  # the same at 0.95: a pure trend is capped there
    assert block_length(np.arange(20.0)) == 5  # a quarter of n


@settings(max_examples=50)
@given(samples=st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60))
def test_an_interval_lies_within_the_samples_and_is_always_the_same(samples: Sequence[float]) -> None:
    observed = np.asarray(samples)
    low, high = interval_of_median(observed)
    assert min(samples) <= low <= np.median(observed) <= high <= max(samples)
    assert interval_of_median(observed) == (low, high)


def test_one_speed_has_no_spread() -> None:
    assert interval_of_median(np.full(30, 0.5)) == (0.5, 0.5)


def test_quartiles_hold_the_middle_half() -> None:
    assert quartiles((1.0, 2.0, 3.0, 4.0, 5.0)) == (2.0, 4.0)
