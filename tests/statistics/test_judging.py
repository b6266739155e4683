"""Each outcome and each boundary of the verdicts on several seeds, against intervals worked out by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest

from resbench.results import Measurement, Statistic, Unit
from resbench.specs import Published, Source
from resbench.statistics.contrasts import variance_factor
from resbench.statistics.deciding import MOST_RUNS, decide, runs_to_settle
from resbench.statistics.judging import Case, judge_family, judge_runs
from resbench.statistics.spread import Spread
from resbench.statistics.student import quantile
from resbench.statistics.verdicts import Outcome, judge

SOURCE = Source(title="Paper", where="Table 6", url="https://example.org")
SEEDS = (0.0861, 0.0879, 0.0858, 0.0882, 0.0866)
"""Mean 0.08692; deviation 0.0010756 (4 degrees of freedom)."""


def published(percent: float = 8.75, **changes: Any) -> Published:
    figure = Published(
        metric="top1_error", value=percent / 100, unit=Unit.ONE, printed=f"{percent:.2f}", decimals=2,
        statistic=Statistic.SINGLE, protocol="last of 64,000 iterations", source=SOURCE, test_samples=10_000,
    )  # fmt: skip
    return replace(figure, **changes)


def fail(**changes: Any) -> Published:
    return published(
        value=math.nan,
        printed="fail",
        failed=True,
        fails_beyond=0.2,
        statistic=Statistic.MEDIAN,
        n=5,
        **changes,
    )


def runs(*errors: float, **changes: Any) -> list[Measurement]:
    one = Measurement(metric="top1_error", value=0, unit=Unit.ONE, statistic=Statistic.LAST, n=10_000)
    return [replace(one, value=error, **changes) for error in errors]


def moved(by: float) -> list[Measurement]:
    return runs(*(error + by for error in SEEDS))


def test_one_published_run_gets_a_prediction_interval() -> None:
    """0.0010756 x sqrt(1 + 1/5) x t(4) = 2.7764 reaches 0.0032715 to each side of -0.00058."""
    verdict = judge_runs(published(), moved(0))
    assert verdict.outcome is Outcome.REPRODUCED
    assert verdict.interval is not None
    assert verdict.n == 5
    assert verdict.value == pytest.approx(0.08692)
    assert verdict.interval.low == pytest.approx(-0.00058 - 0.0032715, abs=1e-6)
    assert verdict.interval.high == pytest.approx(-0.00058 + 0.0032715, abs=1e-6)
    assert verdict.reason == (
        "mean of 5 runs 8.69, published 8.75 (n not stated, taken as one run); difference -0.06 points, 95 % interval "
        "[-0.39, +0.27] from seed to seed, which lies within the margin of 0.5 (half a point); deviation 0.11 points "
        "with 4 degrees of freedom"
    )


def test_a_mean_of_five_pools_both_deviations() -> None:
    """2015: 6.61 +- 0.16. Pooled: sqrt((4 x 0.0010756**2 + 4 x 0.0016**2) / 8) = 0.0013632; t(8) = 2.3060."""
    verdict = judge_runs(published(6.61, statistic=Statistic.MEAN, n=5, std=0.0016), moved(-0.02))
    reach = 0.0013632 * math.sqrt(2 / 5) * 2.3060
    assert verdict.interval is not None
    assert verdict.interval.high - verdict.interval.low == pytest.approx(2 * reach, rel=1e-4)
    assert "mean of 5 runs 6.69, published 6.61 (mean of 5)" in verdict.reason
    assert "within the margin of 0.48 (three published deviations)" in verdict.reason
    assert "with 8 degrees of freedom from 2 groups of runs" in verdict.reason


def test_a_median_is_compared_with_our_median() -> None:
    """2016: 6.61, median of 5. The variance of a median of five is 0.28683 deviations squared."""
    verdict = judge_runs(published(6.61, statistic=Statistic.MEDIAN, n=5), moved(-0.02))
    assert verdict.value == pytest.approx(0.0666)
    reach = 0.0010756 * math.sqrt(2 * 0.28683) * 2.7764
    assert verdict.interval is not None
    assert verdict.interval.high - verdict.interval.low == pytest.approx(2 * reach, rel=1e-4)
    assert "median of 5 runs 6.66, published 6.61 (median of 5)" in verdict.reason


def test_a_best_is_compared_with_the_best_of_as_many() -> None:
    """2015: 6.43 is the best of five."""
    best = published(6.43, statistic=Statistic.BEST, n=5, std=0.0016)
    verdict = judge_runs(best, moved(-0.02))
    assert verdict.value == pytest.approx(0.0658)
    assert "best of 5 runs 6.58, published 6.43 (best of 5)" in verdict.reason


def test_of_other_numbers_the_expected_best_is_compared_and_said_to_be() -> None:
    """Three runs: the mean less 1.16296 pooled deviations (2 and 4 degrees of freedom)."""
    best = published(6.43, statistic=Statistic.BEST, n=5, std=0.0016)
    verdict = judge_runs(best, moved(-0.02)[:3])
    deviation = math.sqrt((2 * 0.00114**2 + 4 * 0.0016**2) / 6)
    assert verdict.value == pytest.approx(0.06660 - 1.16296 * deviation, abs=3e-5)
    assert verdict.reason.startswith(
        "mean of 3 runs moved by 1.16 deviations to where the best of 5 normal runs"
    )


@pytest.mark.parametrize(
    ("gain", "reach", "margin", "significant", "outcome"),
    [
        (0.0, 0.005, 0.005, False, Outcome.REPRODUCED),  # the interval ends at the margin
        (0.0, 0.0050001, 0.005, False, Outcome.INCONCLUSIVE),
        (0.002, 0.003, 0.005, False, Outcome.REPRODUCED),
        (-0.002, 0.003, 0.005, False, Outcome.REPRODUCED),
        (0.002, 0.0031, 0.005, False, Outcome.INCONCLUSIVE),
        (0.004, 0.001, 0.005, True, Outcome.REPRODUCED),  # a difference too small to matter
        (
            0.0041,
            0.001,
            0.005,
            True,
            Outcome.BETTER,
        ),  # the interval reaches beyond the margin and leaves zero out
        (-0.0041, 0.001, 0.005, True, Outcome.WORSE),
        (0.0041, 0.001, 0.005, False, Outcome.INCONCLUSIVE),  # not after the correction
        (-0.006, 0.006, 0.005, True, Outcome.INCONCLUSIVE),  # the interval ends at zero
        (-0.0061, 0.006, 0.005, True, Outcome.WORSE),
        (0.0, 0.05, 0.005, False, Outcome.INCONCLUSIVE),  # a wide interval never is a reproduction
        (0.0, 0.0001, None, False, Outcome.INCONCLUSIVE),  # nor is anything without a margin
        (0.01, 0.001, None, True, Outcome.BETTER),
    ],
)
def test_the_boundaries(
    gain: float, reach: float, margin: float, significant: bool, outcome: Outcome
) -> None:
    assert decide(gain, reach, margin, significant=significant) is outcome


@pytest.mark.parametrize(
    ("by", "outcome"),
    [(0, Outcome.REPRODUCED), (0.03, Outcome.WORSE), (-0.03, Outcome.BETTER), (0.0035, Outcome.INCONCLUSIVE)],
)
def test_of_errors_the_lower_is_better(by: float, outcome: Outcome) -> None:
    assert judge_runs(published(), moved(by)).outcome is outcome


def test_of_accuracies_the_higher_is_better() -> None:
    figure = published(metric="top1_strict", value=1 - 0.0875)
    better = runs(*(1 - error + 0.03 for error in SEEDS), metric="top1_strict")
    assert judge_runs(figure, better).outcome is Outcome.BETTER


def test_one_run_against_an_error_knows_its_direction() -> None:
    figure = published(statistic=Statistic.LAST)
    assert judge(figure, runs(0.05)[0]).outcome is Outcome.BETTER
    assert judge(figure, runs(0.12)[0]).outcome is Outcome.WORSE


def test_wide_intervals_say_how_many_runs_would_settle_it() -> None:
    mean = published(6.61, statistic=Statistic.MEAN, n=100)
    verdict = judge_runs(mean, runs(0.0641, 0.0661, 0.0681))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.label == f"inconclusive (needs n = {verdict.needs})"
    # As the definition has it: the first n whose interval, of the same deviation 0.002, is within 0.005.
    t = {4: 3.1824, 5: 2.7764, 6: 2.5706}
    settled = [n for n, quantile in t.items() if 0.002 * math.sqrt(1 / n + 1 / 100) * quantile <= 0.005]
    assert verdict.needs == settled[0]


def test_it_says_where_no_number_of_runs_settles_it() -> None:
    # Their one run alone deviates by 1.96 x 0.2 points: more than the difference of 0.3, and 0.3 + 0.39 is over 0.5.
    verdict = judge_runs(published(), runs(0.0885, 0.0905, 0.0925))
    assert (verdict.outcome, verdict.needs, verdict.label) == (Outcome.INCONCLUSIVE, None, "inconclusive")
    assert "no number of our runs would settle it" in verdict.reason


@pytest.mark.parametrize("statistic", [Statistic.SINGLE, Statistic.MEAN, Statistic.MEDIAN, Statistic.BEST])
def test_the_runs_needed_are_the_first_of_all_that_settle_it(statistic: Statistic) -> None:
    figure = published(statistic=statistic, n=None if statistic is Statistic.SINGLE else 5)
    spread = Spread(deviation=0.0025, freedom=8)
    answers = []
    for gain in (0.0, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008):
        settled = []
        for n in range(4, MOST_RUNS + 1):
            freedom = 8 + n - 3
            error = 0.0025 * math.sqrt(variance_factor(figure, n, freedom))
            reach, test = error * quantile(freedom), error * quantile(freedom, 0.01)
            if gain + reach <= 0.005 or (gain > reach and gain >= test):
                settled.append(n)
        answers.append(settled[0] if settled else None)
        assert runs_to_settle(figure, 3, gain, spread, 0.005, level=0.01) == answers[-1]
    assert len(set(answers)) > 2


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (runs(0.0872), "one seed says nothing"),
        (runs(0.0872, 0.0872), "2 runs alike to the last digit say nothing"),
    ],
)
def test_without_a_deviation_nothing_is_concluded(found: list[Measurement], why: str) -> None:
    verdict = judge_runs(published(), found)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert why in verdict.reason
    assert verdict.needs is not None
    assert verdict.needs > len(found)
    assert verdict.p is None


def test_one_run_beside_a_published_deviation_can_be_judged() -> None:
    figure = published(6.61, statistic=Statistic.MEAN, n=5, std=0.0016)
    assert judge_runs(figure, runs(0.09)).outcome is Outcome.WORSE


@pytest.mark.parametrize(
    ("figure", "found", "changes", "label"),
    [
        (published(), [], {}, "not run"),
        (None, [], {}, "not run"),
        (None, runs(0.08), {}, "no published figure"),
        (published(), runs(*SEEDS), {"differences": ("scale short (published: full)",)}, "not comparable (scale)"),
        (
            published(),
            runs(*SEEDS),
            {"differences": ("precision bf16 (published: fp32)", "pictures.flip no (published: yes)")},
            "not comparable (precision, pictures.flip)",
        ),
        (published(), runs(*SEEDS, statistic=Statistic.BEST), {}, "not comparable (statistic)"),
        (published(), runs(*SEEDS, metric="top5_error"), {}, "not comparable (metric)"),
        (published(reading=Statistic.BEST), runs(*SEEDS, statistic=Statistic.BEST), {}, "reproduced"),
        (published(), runs(*SEEDS, statistic=Statistic.SINGLE), {}, "reproduced"),
        (published(), [], {"diverged": 2}, "failed"),
        (published(), runs(0.08), {"diverged": 2}, "failed"),
        (published(), runs(*SEEDS), {"diverged": 2}, "inconclusive"),
    ],
)  # fmt: skip
def test_what_is_no_comparison_of_figures(
    figure: Published | None, found: list[Measurement], changes: dict[str, Any], label: str
) -> None:
    assert judge_runs(figure, found, **changes).label == label


@pytest.mark.parametrize(
    ("errors", "label"),
    [
        ((0.9, 0.9, 0.9), "reproduced"),  # three failures settle a median of five
        ((0.9, 0.9, 0.9, 0.08, 0.08), "reproduced"),
        ((0.9, 0.9), "inconclusive (needs n = 3)"),
        ((0.9,), "inconclusive (needs n = 3)"),
        ((0.08, 0.08, 0.08, 0.08, 0.08), "better"),  # 1 in 32, were half of all runs to fail
        ((0.08, 0.08, 0.08, 0.08), "inconclusive (needs n = 5)"),  # 1 in 16
        ((0.9, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08), "better"),  # 9 in 256
        ((0.9, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08), "inconclusive (needs n = 8)"),  # 8 in 128
        ((0.2, 0.2, 0.2, 0.2, 0.2), "better"),  # an error of exactly 20 % is not over 20 %
        ((0.2001, 0.2001, 0.2001), "reproduced"),
    ],
)
def test_a_published_fail_is_reproduced_by_failing(errors: tuple[float, ...], label: str) -> None:
    assert judge_runs(fail(), runs(*errors)).label == label


def test_a_run_that_diverged_has_failed() -> None:
    assert judge_runs(fail(), [], diverged=3).outcome is Outcome.REPRODUCED
    assert judge(fail(), runs(0.08, statistic=Statistic.MEDIAN)[0]).label == "inconclusive (needs n = 3)"


def test_failing_where_the_source_did_not_is_an_outcome_of_its_own() -> None:
    numeric = published(8.7, statistic=Statistic.MEDIAN, n=5, fails_beyond=0.2)
    verdict = judge_runs(numeric, runs(0.9, 0.9, 0.08))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "2 of 3 runs failed; published 8.70")
    assert judge_runs(numeric, runs(0.9, 0.087, 0.086)).outcome is Outcome.INCONCLUSIVE
    # The 2015 paper has no such rule: an error of 90 % is a figure there.
    assert judge_runs(published(), runs(0.9, 0.89, 0.9)).outcome is Outcome.WORSE


def test_an_accuracy_fails_below_80_percent() -> None:
    figure = fail(metric="top1_strict")
    assert judge_runs(figure, runs(0.79, 0.79, 0.79, metric="top1_strict")).outcome is Outcome.REPRODUCED
    assert judge_runs(figure, runs(0.8, 0.8, 0.8, 0.8, 0.8, metric="top1_strict")).outcome is Outcome.BETTER


def test_a_computed_figure_is_the_same_in_every_run() -> None:
    figure = published(
        metric="parameters", value=269_722.0, printed="269,722", statistic=Statistic.COMPUTED, decimals=0,
        test_samples=None,
    )  # fmt: skip
    right, wrong = runs(269_722, 269_723, metric="parameters", statistic=Statistic.COMPUTED)
    assert judge_runs(figure, [right, right]).outcome is Outcome.REPRODUCED
    assert judge_runs(figure, [right, wrong]).outcome is Outcome.DIFFERS


@pytest.mark.parametrize(
    ("printed", "decimals", "counted", "outcome"),
    [
        ("0.27M", 2, 269_722, Outcome.REPRODUCED),
        ("0.27M", 2, 275_001, Outcome.DIFFERS),
        ("269,722", 0, 269_722, Outcome.REPRODUCED),
        ("269,722", 0, 269_723, Outcome.DIFFERS),
    ],
)
def test_parameters_are_compared_as_they_are_printed(
    printed: str, decimals: int, counted: int, outcome: Outcome
) -> None:
    value = 270_000.0 if printed.endswith("M") else 269_722.0
    figure = published(
        metric="parameters", value=value, printed=printed, decimals=decimals,
        statistic=Statistic.COMPUTED, test_samples=None,
    )  # fmt: skip
    found = runs(counted, metric="parameters", statistic=Statistic.COMPUTED)
    assert judge_runs(figure, found).outcome is outcome


def test_a_family_is_corrected_for_the_number_of_its_arms() -> None:
    worse = runs(0.0923, 0.0935, 0.0929)  # alone, p = 0.02
    alone = judge_family([Case(published=published(), measured=worse)])[0]
    arms = [Case(published=published(), measured=worse, pool=str(i)) for i in range(5)]
    among = judge_family(arms)
    assert alone.p is not None
    assert alone.outcome is Outcome.WORSE
    assert [one.p for one in among] == [pytest.approx(5 * alone.p)] * 5
    assert {one.outcome for one in among} == {Outcome.INCONCLUSIVE}
    assert "but not once 5 comparisons are corrected for" in among[0].reason


def test_a_family_pools_the_deviations_of_its_arms() -> None:
    three = [Case(published=published(), measured=moved(0)[k : k + 3]) for k in range(3)]
    assert all("with 6 degrees of freedom from 3 groups of runs" in one.reason for one in judge_family(three))
    apart = [replace(case, pool=str(i)) for i, case in enumerate(three)]
    assert all("with 2 degrees of freedom;" in one.reason + ";" for one in judge_family(apart)[:1])


def test_deviations_that_differ_are_not_pooled() -> None:
    wild = Case(published=published(), measured=runs(0.05, 0.09, 0.13))
    calm = Case(published=published(), measured=runs(0.0872, 0.0875, 0.0878))
    first, second = judge_family([wild, calm])
    assert "with 2 degrees of freedom" in first.reason
    assert "with 2 degrees of freedom" in second.reason


def test_a_family_answers_in_its_order_and_counts_what_could_be_tested() -> None:
    cases = [
        Case(published=published()),
        Case(published=published(), measured=moved(0)),
        Case(published=fail(), measured=runs(0.9, 0.9, 0.9)),
        Case(published=published(), measured=moved(0.03)),
    ]
    found = judge_family(cases)
    assert [one.label for one in found] == ["not run", "reproduced", "reproduced", "worse"]
    assert "corrected for 2 comparisons" in found[3].reason
