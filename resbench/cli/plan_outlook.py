"""What a planned number of seeds can show: against the published figures, and between the arms."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resbench.reporting.arm_figures import NAMES, figure_of
from resbench.results import Result, plain
from resbench.specs import Arm, Experiment, Suite
from resbench.statistics.outlook import NO_DEVIATION, Outlook, Planned, between_arms, compared, outlook
from resbench.statistics.spread import alike, pooled, spread_of
from resbench.statistics.verdicts import training_differences

Questions = Sequence[tuple[Arm, Experiment]]


class Shown(NamedTuple):
    """What the seeds of a plan can show.

    Attributes:
        n: seeds of every arm that there will be.
        against: the outlook of each published figure.
        not_comparable: why nothing is compared with what was published; empty where something is.
        between: a sentence on the difference between two arms.
    """

    n: int
    against: tuple[Outlook, ...]
    not_comparable: str
    between: str


def what_shows(suite: Suite, questions: Questions, known: Mapping[str, Result], n: int) -> Shown:
    """Return what n seeds of every arm can show; stored runs of the same questions may tell the deviation."""
    trained = [(arm, one) for arm, one in questions if one.recipe is not None]
    firsts = {arm.id: (arm, one) for arm, one in reversed(trained)}
    arms = list(dict.fromkeys(arm.id for arm, _ in trained))
    runs = {
        name: [known[one.key] for arm, one in trained if arm.id == name and one.key in known] for name in arms
    }
    differing = [
        found
        for name in arms
        if (found := training_differences(plain(firsts[name][1]), suite.as_asked_of(firsts[name][0])))
    ]
    figures = (
        []
        if differing
        else [
            Planned(
                arm=firsts[name][0].label,
                published=published,
                runs=_values(runs[name], published.metric),
                n=n,
            )
            for name in arms
            for published in firsts[name][0].published
            if compared(published)
        ]
    )
    against = outlook(figures)
    return Shown(
        n=n,
        against=against,
        not_comparable="; ".join(differing[0]) if differing else "",
        between=_between(suite, [_values(each, suite.metric) for each in runs.values()], against, n),
    )


def _values(runs: Sequence[Result], metric: str) -> tuple[float, ...]:
    return tuple(found.value for result in runs if (found := figure_of(result, metric)) is not None)


def _between(suite: Suite, runs: Sequence[Sequence[float]], against: Sequence[Outlook], n: int) -> str:
    """Return which difference between two arms the seeds find, or why that can't be told."""
    if len(runs) < 2:
        return ""
    spreads = [spread for values in runs if (spread := spread_of(values)) is not None]
    known_from, deviation = f"{sum(map(len, runs))} stored runs", None
    if spreads and alike(spreads):
        shared = pooled(spreads)
        deviation = shared.deviation if shared else None
    elif spreads:
        deviation, known_from = max(one.deviation for one in spreads), "the arm that varies most"
    else:
        of_metric = (one for one in against if one.planned.published.metric == suite.metric and one.deviation)
        told = next(of_metric, None)
        if told is not None:
            deviation, known_from = told.deviation, told.known_from
    if deviation is None:
        return f"Between two arms: {NO_DEVIATION}, so that no detectable difference can be told."
    found = between_arms(deviation, n, len(runs))
    if found is None:
        return f"Between two arms: {n} seed{'s' * (n != 1)} can't show a difference; two can."
    return (
        f"Between an arm and the first: {n} seeds find a true difference of {100 * found:.2g} points in the "
        f"{NAMES.get(suite.metric, suite.metric)} in 80 % of cases (deviation {100 * deviation:.2g} points from run to run, "
        f"from {known_from}; 5 % shared by {len(runs) - 1} comparison{'s' * (len(runs) != 2)})."
    )
