"""What a planned number of seeds can show, against the functions that say so of one figure."""

from dataclasses import replace

import pytest

from resbench.catalog import find
from resbench.specs import Published, Suite
from resbench.statistics.outlook import NO_DEVIATION, Planned, between_arms, compared, outlook
from resbench.statistics.pair_prospects import pair_power
from resbench.statistics.prospects import detectable, prospects, runs_needed

SUITE: Suite = find("suite", "suites", "SUITE", "cifar_depth")
FIGURES = {arm.label: arm.published for arm in SUITE.arms}


def planned(label: str, n: int, runs: tuple[float, ...] = (), place: int = 0) -> Planned:
    return Planned(arm=label, published=FIGURES[label][place], runs=runs, n=n)


def test_the_one_printed_deviation_serves_all_arms() -> None:
    """Table 6 prints 0.16 points for 110 layers, five runs: 4 degrees of freedom for the others, too."""
    twenty, most = outlook([planned("ResNet-20", 5), planned("ResNet-110", 5)])
    assert twenty.deviation == most.deviation == pytest.approx(0.0016)
    assert twenty.known_from == "printed for ResNet-110"
    expected = prospects(FIGURES["ResNet-20"][0], 5, 0.0016, extra=4, comparisons=2)
    assert twenty.reproduced == pytest.approx(expected.reproduced)
    assert twenty.smallest == detectable(FIGURES["ResNet-20"][0], 5, 0.0016, extra=4, comparisons=2)
    assert twenty.needed == runs_needed(FIGURES["ResNet-20"][0], 0.0016, extra=4)


def test_without_any_deviation_there_is_no_outlook() -> None:
    (found,) = outlook([planned("ResNet-20", 5)])
    assert (found.reason, found.reproduced, found.smallest) == (NO_DEVIATION, None, None)


def test_stored_runs_tell_the_deviation_of_an_arm() -> None:
    (found,) = outlook([planned("ResNet-20", 5, runs=(0.085, 0.087, 0.089))])
    assert found.deviation == pytest.approx(0.002)
    assert found.known_from == "3 stored runs of ResNet-20"
    assert found.reproduced == pytest.approx(
        prospects(FIGURES["ResNet-20"][0], 5, 0.002, extra=0, comparisons=1).reproduced
    )


def test_deviations_that_differ_are_not_pooled() -> None:
    still, wild = outlook(
        [
            planned("ResNet-20", 5, runs=(0.0850, 0.0851, 0.0852)),
            planned("ResNet-32", 5, runs=(0.06, 0.08, 0.10)),
        ]
    )
    assert still.deviation == pytest.approx(0.0001)
    assert wild.deviation == pytest.approx(0.02)


def test_no_run_and_one_run_tell_nothing_of_their_own() -> None:
    (none,) = outlook([planned("ResNet-110", 0)])
    assert none.reason == "no run fits"
    (one,) = outlook([planned("ResNet-110", 1)])  # the published runs tell the deviation
    assert one.reason == ""
    assert one.reproduced is not None


def test_a_deviation_is_not_lent_to_another_data_set() -> None:
    """As verdicts afterwards: they pool within a data set; but all its arms share the 5 %."""
    ten = replace(planned("ResNet-110", 5), data="cifar10")
    hundred = replace(planned("ResNet-20", 5), data="cifar100")
    known, unknown = outlook([ten, hundred])
    assert (unknown.reason, unknown.deviation) == (NO_DEVIATION, None)
    expected = detectable(FIGURES["ResNet-110"][0], 5, 0.0016, extra=4, comparisons=2)
    assert known.smallest == expected


def test_a_figure_that_will_not_be_compared_has_no_outlook_and_lends_none() -> None:
    unlike = replace(planned("ResNet-110", 5), differences=("length unstated",))
    other = planned("ResNet-20", 5, runs=(0.085, 0.087, 0.089))
    none, alone = outlook([unlike, other])
    assert none.reason == "not comparable: length unstated"
    assert none.reproduced is None
    assert alone == outlook([other])[0]


def test_a_published_fail_is_settled_by_failures() -> None:
    failed = replace(
        FIGURES["ResNet-20"][0], value=float("nan"), printed="fail", failed=True, fails_beyond=0.2
    )
    (found,) = outlook([Planned(arm="it", published=failed, runs=(), n=5)])
    assert "3 runs fail" in found.reason


def test_the_difference_between_arms_is_found_in_80_of_100_cases() -> None:
    found = between_arms(0.002, 5, comparisons=2)
    assert found is not None
    assert pair_power(5, found, 0.002 * 2**0.5, level=0.025) == pytest.approx(0.80, abs=0.001)
    assert between_arms(0.002, 1, comparisons=2) is None


def test_what_is_computed_is_not_compared_by_runs() -> None:
    every: list[Published] = [figure for arm in SUITE.arms for figure in arm.published]
    assert {figure.metric for figure in every if not compared(figure)} == {"parameters"}
