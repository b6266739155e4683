import numpy as np
import pytest

from resbench.statistics.best_draws import best_factor, draws
from resbench.statistics.normal_order import best_of, median_variance


@pytest.mark.parametrize(
    ("n", "mean", "variance"),
    [(1, 0.0, 1.0), (2, 0.56419, 0.68169), (3, 0.84628, 0.55947), (5, 1.16296, 0.44753), (10, 1.53875, 0.34434)],
)  # fmt: skip
def test_the_greatest_of_n_has_the_tabled_moments(n: int, mean: float, variance: float) -> None:
    """Teichroew, Tables of expected values of order statistics, Annals of Mathematical Statistics 27 (1956)."""
    assert best_of(n).mean == pytest.approx(mean, abs=1e-5)
    assert best_of(n).variance == pytest.approx(variance, abs=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9, 12, 39, 60])
def test_the_variance_of_a_median_agrees_with_drawn_ones(n: int) -> None:
    drawn = np.median(np.random.default_rng(n).standard_normal((100_000, n)), axis=1)
    assert median_variance(n) == pytest.approx(float(drawn.var()), rel=0.02)


def test_medians_of_one_two_and_three_are_known_in_closed_form() -> None:
    """One is itself, the median of two is their mean, and of three it is 1 - sqrt(3) / pi."""
    assert median_variance(1) == pytest.approx(1.0, abs=1e-9)
    assert median_variance(2) == pytest.approx(0.5, abs=1e-6)
    assert median_variance(3) == pytest.approx(1 - np.sqrt(3) / np.pi, abs=1e-9)


@pytest.mark.parametrize("wrong", [best_of, median_variance])
def test_none_have_neither_best_nor_median(wrong: object) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        wrong(0)  # type: ignore[operator]


@pytest.mark.parametrize(("n", "extra"), [(5, 0), (5, 4), (3, 4), (8, 0)])
def test_the_factor_of_bests_holds_on_other_draws(n: int, extra: int) -> None:
    # Below minus t(1 %) standard errors in one case of 200.
    rng = np.random.default_rng(99)
    ours = rng.standard_normal((60_000, n))
    theirs = rng.standard_normal((60_000, 5)).max(axis=1)
    squares = ours.var(axis=1, ddof=1) * (n - 1) + (rng.chisquare(extra, size=60_000) if extra else 0)
    deviation = np.sqrt(squares / (n - 1 + extra))
    best = ours.max(axis=1) if n == 5 else ours.mean(axis=1) + 1.16296 * deviation
    scipy_stats = pytest.importorskip("scipy.stats")
    limit = scipy_stats.t.ppf(0.995, n - 1 + extra) * np.sqrt(best_factor(n, 5, extra))
    assert np.mean((best - theirs) / deviation < -limit) == pytest.approx(0.005, abs=0.0015)


def test_one_run_alone_tells_no_deviation() -> None:
    with pytest.raises(ValueError, match="tell no deviation"):
        draws(1, 5, 0)
