"""The plan before a run, against closed forms; the simulations are in test_simulated_verdicts."""

from typing import Any

import pytest

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source
from resbench.statistics.prospects import detectable, prospects, runs_needed

SOURCE = Source(title="Paper", where="Table 6", url="https://example.org")


def mean_of_five(**changes: Any) -> Published:
    return Published(
        metric="top1_error", value=0.0661, unit=Unit.ONE, printed="6.61", decimals=2, protocol="as printed",
        source=SOURCE, test_samples=10_000, **{"statistic": Statistic.MEAN, "n": 5, "std": 0.0016, **changes},
    )  # fmt: skip


@pytest.mark.parametrize("n", [2, 5, 20])
def test_chances_add_up_and_are_alike_on_both_sides(n: int) -> None:
    found = prospects(mean_of_five(), n, 0.0016)
    assert found.better + found.worse + found.reproduced + found.inconclusive == pytest.approx(1)
    assert found.better == pytest.approx(found.worse)
    assert found.worse <= 0.025


def test_without_a_margin_in_reach_the_power_is_that_of_students_t() -> None:
    """Against a fixed deviation: noncentral t with 8 degrees of freedom, as scipy has it."""
    stats = pytest.importorskip("scipy.stats")
    found = prospects(mean_of_five(margin=1e-9), 5, 0.002, -0.004)
    away, limit = 0.004 / (0.002 * (2 / 5) ** 0.5), stats.t.ppf(0.975, 8)
    assert found.worse == pytest.approx(stats.nct.sf(limit, 8, away), abs=2e-3)


def test_more_runs_and_less_correction_find_smaller_differences() -> None:
    few, many = detectable(mean_of_five(), 3, 0.0016), detectable(mean_of_five(), 10, 0.0016)
    family = detectable(mean_of_five(), 10, 0.0016, comparisons=5)
    assert few is not None
    assert many is not None
    assert family is not None
    assert many < few
    assert many < family


def test_one_run_beside_no_deviation_detects_nothing() -> None:
    assert detectable(mean_of_five(std=None), 1, 0.0016) is None
    with pytest.raises(ValueError, match="tell no deviation"):
        prospects(mean_of_five(std=None), 1, 0.0016)
    assert detectable(mean_of_five(), 1, 0.0016) is not None


def test_the_runs_needed_are_the_first_with_that_chance() -> None:
    n = runs_needed(mean_of_five(), 0.0016)
    assert n is not None
    assert (
        prospects(mean_of_five(), n, 0.0016).reproduced
        >= 0.8
        > prospects(mean_of_five(), n - 1, 0.0016).reproduced
    )


def test_a_single_noisy_published_run_can_never_be_shown_to_be_the_same() -> None:
    assert runs_needed(mean_of_five(statistic=Statistic.SINGLE, n=None, std=None), 0.004) is None
