"""What a planned number of seeds can show: against the published figures, and between the arms."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from resbench.reporting.arm_figures import NAMES, figure_of
from resbench.reporting.arm_pairs import compared_arms
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
    arms = [firsts[name][0] for name in dict.fromkeys(arm.id for arm, _ in trained)]
    runs = {
        arm.id: [known[one.key] for of, one in trained if of.id == arm.id and one.key in known]
        for arm in arms
    }
    differing = {
        arm.id: training_differences(plain(firsts[arm.id][1]), suite.as_asked_of(arm)) for arm in arms
    }
    none_alike = all(differing.values())
    against = () if none_alike else outlook(list(_planned(suite, arms, runs, differing, n)))
    return Shown(
        n=n,
        against=against,
        not_comparable="; ".join(differing[arms[0].id]) if none_alike and arms else "",
        between=" ".join(_between(suite, arms, runs, against, n)),
    )


def _planned(
    suite: Suite,
    arms: Sequence[Arm],
    runs: Mapping[str, Sequence[Result]],
    differing: Mapping[str, Sequence[str]],
    n: int,
) -> Iterator[Planned]:
    for arm in arms:
        for published in filter(compared, arm.published):
            yield Planned(
                arm=arm.label,
                published=published,
                runs=_values(runs[arm.id], published.metric),
                n=n,
                data=suite.data_of(arm),
                differences=(*differing[arm.id], *published.unlike),
            )


def _values(runs: Sequence[Result], metric: str) -> tuple[float, ...]:
    return tuple(found.value for result in runs if (found := figure_of(result, metric)) is not None)


def _between(
    suite: Suite,
    arms: Sequence[Arm],
    runs: Mapping[str, Sequence[Result]],
    against: Sequence[Outlook],
    n: int,
) -> Iterator[str]:
    """Yield, for each data set, which difference between two of its arms the seeds find, or why that can't be told."""
    pairs = list(compared_arms(suite, arms))
    every = dict.fromkeys(suite.data_of(arm) for arm, _ in pairs)
    for data in every:
        ours = [pair for pair in pairs if suite.data_of(pair[0]) == data]
        of_data = {arm.id: arm for pair in ours for arm in pair}
        told = _deviation([_values(runs[name], suite.metric) for name in of_data])
        if told is None:
            labels = {arm.label for arm in of_data.values()}
            told = _told_by_figures([one for one in against if one.planned.arm in labels], suite.metric)
        where = f"On {data}, between" if len(every) > 1 else "Between"
        whom = "two arms" if len({first.id for _, first in ours}) > 1 else "an arm and the first"
        yield _found(f"{where} {whom}", NAMES.get(suite.metric, suite.metric), told, n, len(pairs))


def _deviation(runs: Sequence[Sequence[float]]) -> tuple[float, str] | None:
    """Return the deviation that stored runs tell, and from which of them."""
    spreads = [spread for values in runs if (spread := spread_of(values)) is not None]
    if not spreads:
        return None
    shared = pooled(spreads) if alike(spreads) else None
    if shared is None:
        return max(one.deviation for one in spreads), "the arm that varies most"
    return shared.deviation, f"{sum(map(len, runs))} stored runs"


def _told_by_figures(against: Sequence[Outlook], metric: str) -> tuple[float, str] | None:
    return next(
        (
            (one.deviation, one.known_from)
            for one in against
            if one.planned.published.metric == metric and one.deviation
        ),
        None,
    )


def _found(between: str, metric: str, told: tuple[float, str] | None, n: int, comparisons: int) -> str:
    if told is None:
        return f"{between}: {NO_DEVIATION}, so that no detectable difference can be told."
    deviation, known_from = told
    found = between_arms(deviation, n, comparisons)
    if found is None:
        return f"{between}: {n} seed{'s' * (n != 1)} can't show a difference; two can."
    return (
        f"{between}: {n} seeds find a true difference of {100 * found:.2g} points in the "
        f"{metric} in 80 % of cases (deviation {100 * deviation:.2g} points from run to run, "
        f"from {known_from}; 5 % shared by {comparisons} comparison{'s' * (comparisons != 1)})."
    )
