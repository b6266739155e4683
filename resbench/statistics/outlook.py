"""Before a suite is run: what each published figure's comparison can come to with a planned number of seeds.

The deviation from run to run comes from the source, or from runs that are stored, pooled over the arms of one figure and one
data set where Bartlett's test lets them be, as in `resbench.statistics.judging`. Where neither tells one, there is no outlook.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resbench.results import Statistic
from resbench.specs import Published
from resbench.statistics.pair_prospects import detectable_between
from resbench.statistics.prospects import detectable, prospects, runs_needed
from resbench.statistics.spread import Spread, alike, pooled, spread_of
from resbench.statistics.student import ALPHA

NO_DEVIATION = "no deviation from run to run is known, neither printed nor from stored runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One published figure of an arm, and how many runs are planned for it.

    Attributes:
        arm: its label.
        published: the figure.
        runs: figures of stored runs of the same question, by which the deviation may be told.
        n: runs that there will be.
        data: the data set: those of one share their deviation.
        differences: what is asked otherwise than for the published figure, or what its source does not state: its verdict
            will be `not comparable`.
    """

    arm: str
    published: Published
    runs: Sequence[float]
    n: int
    data: str = ""
    differences: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one comparison can come to.

    Attributes:
        deviation: from run to run, in the figure's unit; None where none is known.
        known_from: what told it, in words.
        smallest: difference that would be called worse in 80 % of cases; None where n is too small.
        reproduced: chance of that verdict where both are truly the same.
        needed: runs at which that chance is 80 %; None where none are enough.
        reason: why there is no outlook; empty where there is one.
    """

    planned: Planned
    deviation: float | None = None
    known_from: str = ""
    smallest: float | None = None
    reproduced: float | None = None
    needed: int | None = None
    reason: str = ""


def outlook(figures: Sequence[Planned]) -> tuple[Outlook, ...]:
    """Return what the comparison of each figure can come to.

    Those of one metric share 5 %; those of one metric and one data set share a deviation, if theirs are alike.
    """
    return tuple(_of(figure, figures) for figure in figures)


def _judged(figures: Sequence[Planned], metric: str) -> list[Planned]:
    """Return the figures of one metric that get a verdict from a test."""
    return [
        one
        for one in figures
        if one.published.metric == metric and not one.differences and not one.published.failed
    ]


def _of(figure: Planned, figures: Sequence[Planned]) -> Outlook:
    published = figure.published
    if figure.differences:
        return Outlook(planned=figure, reason=f"not comparable: {', '.join(figure.differences)}")
    if published.failed:
        return Outlook(
            planned=figure, reason=f"published 'fail': settled when 3 runs fail; {figure.n} are planned"
        )
    family = _judged(figures, published.metric)
    spread, known_from = _spread(figure, [one for one in family if one.data == figure.data])
    if spread is None:
        return Outlook(planned=figure, reason=NO_DEVIATION)
    extra = max(0, spread.freedom - max(0, len(figure.runs) - 1))
    if figure.n < 1 or figure.n - 1 + extra < 1:
        return Outlook(
            planned=figure,
            deviation=spread.deviation,
            known_from=known_from,
            reason="one run tells no deviation" if figure.n else "no run fits",
        )
    deviation, comparisons = spread.deviation, len({one.arm for one in family})
    chances = prospects(published, figure.n, deviation, extra=extra, comparisons=comparisons)
    return Outlook(
        planned=figure,
        deviation=deviation,
        known_from=known_from,
        smallest=detectable(published, figure.n, deviation, extra=extra, comparisons=comparisons),
        reproduced=chances.reproduced,
        needed=runs_needed(published, deviation, extra=extra),
    )


def _spread(figure: Planned, family: Sequence[Planned]) -> tuple[Spread | None, str]:
    own, shared = _spreads([figure]), _spreads(family)
    chosen = shared if alike([one for one, _ in shared]) else own
    names = dict.fromkeys(name for _, name in chosen)
    return pooled([one for one, _ in chosen]), " and ".join(names)


def _spreads(figures: Sequence[Planned]) -> list[tuple[Spread, str]]:
    found: list[tuple[Spread, str]] = []
    seen: set[tuple[str, float]] = set()
    for figure in figures:
        published = figure.published
        if published.std is not None and published.runs > 1:
            found.append(
                (Spread(deviation=published.std, freedom=published.runs - 1), f"printed for {figure.arm}")
            )
        stored = spread_of(figure.runs)
        # Several figures of an arm speak of the same runs.
        if stored is not None and (figure.arm, stored.deviation) not in seen:
            seen.add((figure.arm, stored.deviation))
            found.append((stored, f"{len(figure.runs)} stored runs of {figure.arm}"))
    return found


def between_arms(deviation: float, n: int, comparisons: int) -> float | None:
    """Return the true difference between two arms that n shared seeds find in 80 % of cases; None below two.

    The seeds are taken to do nothing for the two arms in common, so that differences have twice the variance of runs: a
    cautious supposition.

    Args:
        deviation: from run to run of one arm.
        n: shared seeds.
        comparisons: pairs of arms that are compared; they share 5 %.
    """
    return detectable_between(n, math.sqrt(2) * deviation, level=ALPHA / comparisons)


def compared(published: Published) -> bool:
    """Whether a figure is one that runs are compared with: not one that follows from a definition."""
    return published.statistic is not Statistic.COMPUTED
