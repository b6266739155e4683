import itertools

import numpy as np
import pytest

from resbench.statistics.pair_prospects import detectable_between, pair_power, pairs_needed
from resbench.statistics.pairs import compare_arms, compare_pairs, least_p

scipy_stats = pytest.importorskip("scipy.stats")

PLAIN = {0: 0.0935, 1: 0.0951, 2: 0.0928, 3: 0.0960, 4: 0.0941}
RESIDUAL = {0: 0.0870, 1: 0.0888, 2: 0.0859, 3: 0.0901, 4: 0.0866}


def by_seed(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_a_paired_difference_agrees_with_scipy() -> None:
    found = compare_pairs(PLAIN, RESIDUAL)
    theirs = scipy_stats.ttest_rel(list(PLAIN.values()), list(RESIDUAL.values()))
    interval = theirs.confidence_interval(0.95)
    assert found.interval is not None
    assert found.n == 5
    assert found.mean == pytest.approx(0.00662)
    assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.found


def test_what_two_arms_share_cancels() -> None:
    """Seeds that are hard for both: the runs deviate by 5 points, their differences by 0.1."""
    shared = np.random.default_rng(1).normal(scale=0.05, size=5)
    noise = np.random.default_rng(2).normal(scale=0.001, size=5)
    found = compare_pairs(by_seed((shared + noise + 0.01).tolist()), by_seed(shared.tolist()))
    assert found.found
    assert scipy_stats.ttest_ind(shared + noise + 0.01, shared).pvalue > 0.5


def test_only_seeds_that_both_have_are_paired() -> None:
    found = compare_pairs({0: 1.0, 2: 3.0, 7: 5.0}, {7: 4.0, 2: 1.0, 9: 0.0})
    assert (found.seeds, found.differences) == ((2, 7), (2.0, 1.0))
    none = compare_pairs({0: 1.0}, {1: 1.0})
    assert (none.n, none.mean, none.interval, none.rank_note) == (0, None, None, "the two share no seed")


@pytest.mark.parametrize(
    ("n", "least"), [(1, 1.0), (2, 0.5), (5, 0.0625), (6, 0.03125), (8, 0.0078125)]
)  # fmt: skip
def test_the_least_p_is_that_of_all_on_one_side(n: int, least: float) -> None:
    assert least_p(n) == least
    assert scipy_stats.binomtest(n, n).pvalue == pytest.approx(least)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_no_rank_test_below_six_pairs(n: int) -> None:
    found = compare_pairs(by_seed([1.0 + i for i in range(n)]), by_seed([0.0] * n))
    assert (found.p_sign, found.p_ranks) == (None, None)
    assert f"{n} pairs can't reach p < 0.05 by ranks" in found.rank_note


def test_six_pairs_just_reach_it() -> None:
    found = compare_pairs(by_seed([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), by_seed([0.0] * 6))
    assert found.p_sign == pytest.approx(1 / 32)
    assert found.p_ranks == pytest.approx(1 / 32)
    assert not found.rank_note


def test_pairs_without_a_difference_do_not_count_for_ranks() -> None:
    found = compare_pairs(by_seed([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]), by_seed([0.0] * 6))
    assert found.p_ranks is None
    assert found.rank_note.startswith("5 pairs can't reach")


@pytest.mark.parametrize(
    "differences", [[1, 2, -3, 4, 5, 6, 7.0], [1, 1, -1, 2, 2, 3, 3.0]], ids=["apart", "tied"]
)
def test_ranks_agree_with_every_choice_of_signs(differences: list[float]) -> None:
    """The signed-rank statistic over all 128 choices of signs: the share at least as far from its middle."""
    ranks = scipy_stats.rankdata(np.abs(differences))
    middle = ranks.sum() / 2
    seen = abs(ranks[np.asarray(differences) > 0].sum() - middle)
    every = [
        abs(sum(rank for rank, up in zip(ranks, signs, strict=True) if up) - middle)
        for signs in itertools.product((False, True), repeat=len(differences))
    ]
    expected = np.mean([one >= seen - 1e-9 for one in every])
    found = compare_pairs(by_seed(differences), by_seed([0.0] * len(differences)))
    assert found.p_ranks == pytest.approx(expected)


@pytest.mark.parametrize("tied", [False, True])
def test_many_pairs_are_tested_by_ranks_too(tied: bool) -> None:
    values = np.random.default_rng(8).normal(0.8, 1.0, size=20).round(1 if tied else 6)
    found = compare_pairs(by_seed(values.tolist()), by_seed([0.0] * 20))
    assert found.p_ranks is not None
    assert 0 < found.p_ranks < 0.05


def test_differences_all_alike_have_no_interval() -> None:
    found = compare_pairs(by_seed([1.0, 1.0, 1.0]), by_seed([0.5, 0.5, 0.5]))
    assert (found.mean, found.interval, found.p, found.found) == (0.5, None, None, False)


def test_several_arms_are_corrected_for_their_number() -> None:
    rng = np.random.default_rng(4)
    arms = [by_seed((np.array(list(PLAIN.values())) + gain + rng.normal(scale=0.001, size=5)).tolist()) for gain in (0.0, 0.002, 0.02)]  # fmt: skip
    found = compare_arms(PLAIN, arms)
    p_values = [one.p for one in found]
    corrected = [one.p_corrected for one in found]
    smallest = min(range(3), key=lambda i: p_values[i] or 1)
    assert corrected[smallest] == pytest.approx(3 * (p_values[smallest] or 0))
    assert all((c or 0) >= (p or 0) for c, p in zip(corrected, p_values, strict=True))
    assert [one.found for one in found][2]
    assert compare_arms(PLAIN, [{0: 0.1}])[0].p_corrected is None


def test_what_is_not_found_says_how_many_pairs_would_find_it() -> None:
    found = compare_pairs(by_seed([0.010, 0.004, -0.002]), by_seed([0.0] * 3))
    assert not found.found
    # Mean 0.004, deviation 0.006: two thirds of a deviation.
    assert found.needs == pairs_needed(0.004, 0.006)
    assert found.needs is not None
    assert pair_power(found.needs, 0.004, 0.006) >= 0.8 > pair_power(found.needs - 1, 0.004, 0.006)


@pytest.mark.parametrize(("size", "n"), [(0.5, 34), (0.8, 15), (1.0, 10), (1.5, 6)])
def test_the_pairs_needed_are_the_tabled_ones(size: float, n: int) -> None:
    """Paired t test, 5 % two-sided, power 80 %: the numbers that G*Power and R's power.t.test give."""
    assert pairs_needed(size, 1.0) == n


@pytest.mark.parametrize(("n", "size"), [(3, 2.0), (5, 1.5), (10, 0.8)])
def test_the_power_of_pairs_is_that_of_simulated_ones(n: int, size: float) -> None:
    drawn = np.random.default_rng(n).normal(size, 1.0, size=(20_000, n))
    seen = np.mean(scipy_stats.ttest_1samp(drawn, 0, axis=1).pvalue <= 0.05)
    assert pair_power(n, size, 1.0) == pytest.approx(seen, abs=0.015)


def test_the_detectable_difference_has_that_power() -> None:
    difference = detectable_between(5, 0.002)
    assert difference is not None
    assert pair_power(5, difference, 0.002) == pytest.approx(0.8)
    assert detectable_between(1, 0.002) is None
