"""2,000 simulated suites of five arms: how often a verdict errs where the truth is known."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from resbench.results import Measurement, Statistic, Unit
from resbench.specs import Published, Source
from resbench.statistics.judging import Case, judge_family, judge_runs
from resbench.statistics.prospects import detectable, prospects
from resbench.statistics.verdicts import Outcome

SUITES, ARMS = 2_000, 5
TRUE, DEVIATION = 0.07, 0.002
SOURCE = Source(title="Paper", where="Table 6", url="https://example.org")


def figure(value: float, statistic: Statistic = Statistic.SINGLE, **changes: Any) -> Published:
    return Published(
        metric="top1_error", value=value, unit=Unit.ONE, printed=f"{100 * value:.2f}", decimals=2,
        statistic=statistic, protocol="simulated", source=SOURCE, test_samples=10_000, **changes,
    )  # fmt: skip


def run(error: float) -> Measurement:
    return Measurement(metric="top1_error", value=error, unit=Unit.ONE, statistic=Statistic.LAST, n=10_000)


def exactly(runs: np.ndarray) -> Published:
    return figure(TRUE)


def single(runs: np.ndarray) -> Published:
    return figure(float(runs[0]))


def mean(runs: np.ndarray) -> Published:
    return figure(float(runs.mean()), Statistic.MEAN, n=5, std=float(runs.std(ddof=1)))


def median(runs: np.ndarray) -> Published:
    return figure(float(np.median(runs)), Statistic.MEDIAN, n=5)


def best(runs: np.ndarray) -> Published:
    return figure(float(runs.min()), Statistic.BEST, n=5)


def simulated(
    publish: Callable[[np.ndarray], Published], n: int, deviations: tuple[float, ...]
) -> dict[Outcome, float]:
    """Return the share of suites in which some arm has each outcome, the truth being the same on both sides."""
    rng = np.random.default_rng(2016)
    scale = np.asarray(deviations)[None, :, None]
    ours = TRUE + scale * rng.standard_normal((SUITES, ARMS, n))
    theirs = TRUE + scale * rng.standard_normal((SUITES, ARMS, 5))
    counts = dict.fromkeys(Outcome, 0)
    for ours_AN, theirs_AN in zip(ours, theirs, strict=True):
        cases = [
            Case(published=publish(runs), measured=[run(float(error)) for error in errors])
            for errors, runs in zip(ours_AN, theirs_AN, strict=True)
        ]
        for outcome in {verdict.outcome for verdict in judge_family(cases)}:
            counts[outcome] += 1
    return {outcome: count / SUITES for outcome, count in counts.items()}


@pytest.mark.parametrize(
    ("publish", "n"),
    [(exactly, 5), (single, 3), (single, 5), (mean, 5), (median, 5), (best, 3), (best, 5)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_where_both_are_the_same_at_most_one_suite_in_twenty_says_worse(
    publish: Callable[[np.ndarray], Published], n: int
) -> None:
    found = simulated(publish, n, (DEVIATION,) * ARMS)
    assert found[Outcome.WORSE] <= 0.05
    assert found[Outcome.BETTER] <= 0.05


def test_nor_do_arms_of_unequal_deviations() -> None:
    assert simulated(single, 3, (2 * DEVIATION, *(DEVIATION,) * 4))[Outcome.WORSE] <= 0.05


@pytest.mark.parametrize(
    ("publish", "n", "loss"),
    [(single, 5, 0.006), (mean, 5, 0.003), (mean, 3, 0.004), (median, 5, 0.0045), (median, 3, 0.0045), (best, 5, 0.008)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)  # fmt: skip
def test_the_power_is_as_predicted_within_three_points(
    publish: Callable[[np.ndarray], Published], n: int, loss: float
) -> None:
    rng = np.random.default_rng(5)
    ours = TRUE + loss + DEVIATION * rng.standard_normal((8_000, n))
    theirs = TRUE + DEVIATION * rng.standard_normal((8_000, 5))
    # One margin for all: a published deviation, being another in each simulation, would move it.
    verdicts = [
        judge_runs(with_margin(publish(runs)), [run(float(error)) for error in errors])
        for errors, runs in zip(ours, theirs, strict=True)
    ]
    predicted = prospects(with_margin(publish(theirs[0])), n, DEVIATION, -loss)
    for name in ("worse", "better", "reproduced", "inconclusive"):
        seen = np.mean([verdict.outcome == name for verdict in verdicts])
        assert seen == pytest.approx(getattr(predicted, name), abs=0.03), name


def with_margin(published: Published) -> Published:
    return replace(published, margin=0.005)


def test_the_detectable_difference_is_found_in_four_cases_of_five() -> None:
    rng = np.random.default_rng(6)
    loss = detectable(figure(TRUE), 5, DEVIATION)
    assert loss is not None
    ours = TRUE + loss + DEVIATION * rng.standard_normal((4_000, 5))
    theirs = TRUE + DEVIATION * rng.standard_normal(4_000)
    found = [
        judge_runs(figure(float(value)), [run(float(error)) for error in errors]).outcome is Outcome.WORSE
        for errors, value in zip(ours, theirs, strict=True)
    ]
    assert np.mean(found) == pytest.approx(0.80, abs=0.03)
