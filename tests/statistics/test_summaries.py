import pytest

from resbench.results import Statistic
from resbench.statistics.intervals import Interval, share_interval
from resbench.statistics.spread import Spread
from resbench.statistics.summaries import Error, one_run, over_seeds

scipy_stats = pytest.importorskip("scipy.stats")

FIVE = [0.0643, 0.0661, 0.0668, 0.0652, 0.0681]


def test_one_run_has_the_error_of_its_test_pictures() -> None:
    summary = one_run(0.0875, 10_000)
    assert summary.interval == share_interval(0.0875, 10_000)
    assert (summary.n, summary.error) == (1, Error.TEST_PICTURES)
    assert summary.shown(100) == "8.75 [8.21, 9.32]"


def test_a_mean_has_students_interval_from_seed_to_seed() -> None:
    summary = over_seeds(FIVE)
    low, high = scipy_stats.t.interval(0.95, 4, loc=0.0661, scale=scipy_stats.sem(FIVE))
    assert summary.interval is not None
    assert (summary.interval.low, summary.interval.high) == pytest.approx((low, high))
    assert summary.value == pytest.approx(0.0661)
    assert (summary.n, summary.error) == (5, Error.SEEDS)
    assert summary.shown(100) == "6.61 [6.43, 6.79]"


def test_a_pooled_deviation_narrows_it() -> None:
    pooled = over_seeds(FIVE[:2], spread=Spread(deviation=0.0015, freedom=20))
    assert pooled.interval is not None
    assert pooled.interval.high - pooled.interval.low == pytest.approx(
        2 * 2.08596 * 0.0015 / 2**0.5, rel=1e-5
    )
    alone = over_seeds(FIVE[:1], spread=Spread(deviation=0.0015, freedom=20))
    assert alone.interval is not None


def test_five_runs_support_no_interval_of_their_median_and_six_do() -> None:
    """Order statistics: the least and the greatest of n hold the median in 1 - 2 / 2**n: 93.75 % of 5, 96.9 % of 6."""
    five = over_seeds(FIVE, Statistic.MEDIAN)
    assert (five.value, five.interval, five.why) == (0.0661, None, "95 % of a median take 6 runs, not 5")
    six = over_seeds([3.0, 1.0, 2.0, 6.0, 5.0, 4.0], Statistic.MEDIAN)
    assert six.interval == Interval(low=1.0, high=6.0)


@pytest.mark.parametrize("order", [[1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 1, 8, 2, 7, 3, 6, 4, 5]])
def test_the_order_of_seeds_is_of_no_account(order: list[float]) -> None:
    """Nine: the second and the eighth (any table of the sign test)."""
    assert over_seeds(order, Statistic.MEDIAN).interval == Interval(low=2, high=8)


def test_a_best_is_the_best_of_its_kind_and_has_no_interval() -> None:
    assert over_seeds(FIVE, Statistic.BEST, lower_is_better=True).value == 0.0643
    best = over_seeds(FIVE, Statistic.BEST)
    assert (best.value, best.interval, best.why) == (
        0.0681,
        None,
        "a best has no interval, and n = 5 belongs to it",
    )
    assert best.shown(100) == "6.81"


def test_too_little_says_why() -> None:
    assert over_seeds([0.07]).why == "one run says nothing of the spread"
    assert over_seeds([0.07, 0.07]).why == "the runs are alike to the last digit"
    with pytest.raises(ValueError, match="no runs"):
        over_seeds([])
    with pytest.raises(ValueError, match="not by last epoch"):
        over_seeds([0.07], Statistic.LAST)
