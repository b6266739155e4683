"""Against formulas, worked by hand and by simulation: 95 of 100 intervals hold the true share, clusters or not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from resbench.statistics.clustered import mean_of, mean_share_of, share_of
from resbench.statistics.intervals import share_interval

bools = st.lists(st.booleans(), min_size=1, max_size=40)


@given(bools)
def test_without_clusters_the_interval_is_wilsons(right: list[bool]) -> None:
    found = share_of(right, range(len(right)))
    assert found.interval == share_interval(sum(right) / len(right), len(right))
    assert (found.n, found.clusters) == (len(right), len(right))


def test_a_ratio_estimated_from_clusters_by_hand() -> None:
    """Clusters (1, 1), (1, 0), (0, 0), (1, 1): share 5/8; sums of y - 5/8 are 3/4, -1/4, -5/4, 3/4.

    Variance 4/3 x (9/16 + 1/16 + 25/16 + 9/16) / 64 = 11/192; worth (15/64) / (11/192) = 45/11 observations. Wilson's
    interval for them with t of 3 degrees of freedom, 3.182446.
    """
    found = share_of([True, True, True, False, False, False, True, True], [7, 7, 5, 5, 6, 6, 9, 9])
    worth, t2 = 45 / 11, 3.182446305284263**2
    centre = (0.625 + t2 / (2 * worth)) / (1 + t2 / worth)
    half = np.sqrt(t2 * (0.625 * 0.375 / worth + t2 / (4 * worth**2))) / (1 + t2 / worth)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((centre - half, centre + half))
    assert (found.value, found.n, found.clusters) == (0.625, 8, 4)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
def test_the_share_lies_in_its_interval_and_both_in_0_to_1(rows: list[tuple[bool, int]]) -> None:
    right, clusters = zip(*rows, strict=True)
    for found in (share_of(right, clusters), mean_share_of(right, [i % 3 for i in clusters], clusters)):
        if found.interval is None:
            assert found.clusters == 1
        else:
            assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_copies_of_every_observation_add_nothing() -> None:
    """Four equal crops of each of 30 pictures are worth 30 pictures; as independent ones they would seem worth 120."""
    right = [i % 3 > 0 for i in range(30)]
    once, copied = share_of(right, range(30)), share_of(right * 4, list(range(30)) * 4)
    assert once.interval is not None
    assert copied.interval is not None
    wide = copied.interval.high - copied.interval.low
    assert wide == pytest.approx(once.interval.high - once.interval.low, rel=0.08)  # t for z, G - 1 for G
    assert wide > 1.9 * (share_interval(2 / 3, 120).high - share_interval(2 / 3, 120).low)


def test_nothing_varies() -> None:
    found = share_of([True] * 6, [0, 0, 1, 1, 2, 2])
    assert found.interval is not None
    assert found.interval.high == 1
    assert found.interval.low < share_interval(1.0, 3).low  # three pictures, and t of two degrees of freedom
    assert share_of([True, False], [1, 1]).interval is None  # one picture says nothing of others


def test_the_mean_share_counts_groups_alike_and_a_lone_observation_at_its_worst() -> None:
    """Groups of 4, 1 and 2: shares 3/4, 1 and 0, mean 7/12.

    The variance of each share is p (1 - p) / (m - 1), and for the lone one 7/12 x 5/12: 1/16, 35/144, 0, over 3 squared.
    """
    groups = [0, 0, 0, 0, 5, 3, 3]
    found = mean_share_of([True, True, True, False, True, False, False], groups, range(7))
    assert found.value == pytest.approx(7 / 12)
    variance = (1 / 16 + 35 / 144) / 9 * 7 / 6
    freedom = (1 / 16 + 35 / 144) ** 2 / ((1 / 16) ** 2 / 3 + (35 / 144) ** 2 / 1)
    worth, t2 = min(7, 35 / 144 / variance), stats.t.ppf(0.975, freedom) ** 2
    low, high = (
        (7 / 12 + t2 / 2 / worth + sign * np.sqrt(t2 * (35 / 144 / worth + t2 / 4 / worth**2)))
        / (1 + t2 / worth)
        for sign in (-1, 1)
    )
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_the_mean_without_clusters_has_students_interval() -> None:
    values = [2.0, 3.5, 1.0, 4.0, 2.5]
    found = mean_of(values, range(5))
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert mean_of([1.0, 2.0], [0, 0]).interval is None


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([True], [0, 1])])
def test_no_observations(values: list[bool], clusters: list[int]) -> None:
    for function in (share_of, mean_of):
        with pytest.raises(ValueError, match="observations"):
            function(values, clusters)


REPEATS = 1500


@pytest.mark.parametrize("truth", [0.5, 0.9])
def test_coverage_with_clusters(truth: float) -> None:
    """120 pictures with 1 to 6 crops; each picture has its own chance of a right answer, with a correlation of 0.4.

    Of 1,500 intervals 95 % hold the true share, give or take 2; of those that take crops as independent far fewer do.
    """
    random = np.random.default_rng(3)
    held = held_as_independent = held_mean = 0
    spread = 1 / 0.4 - 1  # of a beta distribution: correlation is 1 / (a + b + 1)
    for _ in range(REPEATS):
        sizes = random.integers(1, 7, 120)
        clusters = np.repeat(np.arange(120), sizes)
        chances = random.beta(truth * spread, (1 - truth) * spread, 120)
        right = random.random(len(clusters)) < chances[clusters]
        groups = random.integers(0, 10, len(clusters))
        found = share_of(right.tolist(), clusters.tolist())
        by_group = mean_share_of(right.tolist(), groups.tolist(), clusters.tolist())
        assert found.interval is not None
        assert by_group.interval is not None
        held += truth in found.interval
        held_mean += truth in by_group.interval
        held_as_independent += truth in share_interval(found.value, found.n)
    assert held / REPEATS == pytest.approx(0.95, abs=0.02)
    assert held_mean / REPEATS == pytest.approx(0.95, abs=0.02)
    assert held_as_independent / REPEATS < 0.88


def test_coverage_of_the_mean_share_without_clusters() -> None:
    """Twenty classes from 3 to 60 samples, each with an accuracy of its own: the mean of the true ones is held."""
    random = np.random.default_rng(4)
    sizes = np.linspace(3, 60, 20).astype(int)
    truths = np.linspace(0.4, 0.95, 20)
    groups = np.repeat(np.arange(20), sizes)
    held = 0
    for _ in range(REPEATS):
        right = random.random(len(groups)) < truths[groups]
        found = mean_share_of(right.tolist(), groups.tolist(), range(len(groups)))
        assert found.interval is not None
        held += float(truths.mean()) in found.interval
    assert held / REPEATS == pytest.approx(0.95, abs=0.02)
