"""Differences between arms, seed by seed: with shared seeds, what a seed does to all arms drops out."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from resbench.reporting.arm_figures import NAMES, figures_of
from resbench.reporting.figures import NONE
from resbench.reporting.markdown import blocks, table
from resbench.reporting.selection import Selection
from resbench.specs import Arm, Suite
from resbench.statistics.pairs import Paired, compare_all
from resbench.units import decimals_for

_FEW: Final = 4
"""Up to so many arms, each is compared with each: among more, every comparison costs the others too much."""


def arm_pairs(selection: Selection) -> str:
    """Return the table of differences: of few arms, between any two, else from the first; empty without shared seeds.

    Only arms on the same data are compared.
    """
    asked = list(compared_arms(selection.suite, selection.arms))
    found = compare_all([(_values(selection, one), _values(selection, other)) for one, other in asked])
    pairs = [(two, pair) for two, pair in zip(asked, found, strict=True) if pair.n]
    if not pairs:
        return ""
    headers = (
        "Arms",
        "Shared seeds",
        "Difference, points [95 %]",
        "p",
        "Could be found, points",
        "Pairs to settle",
    )
    notes = dict.fromkeys(pair.rank_note for _, pair in pairs if pair.rank_note)
    body = table(headers, [_cells(two, pair) for two, pair in pairs], numbers=(1, 3, 4, 5))
    said = _note(selection, [pair for _, pair in pairs])
    return blocks(said, body, "No rank test: " + "; ".join(notes) + "." if notes else "")


def compared_arms(suite: Suite, arms: Sequence[Arm]) -> Iterator[tuple[Arm, Arm]]:
    """Yield the pairs of arms whose difference is asked for, the later one of each first."""
    by_data: dict[str, list[Arm]] = {}
    for arm in arms:
        by_data.setdefault(suite.data_of(arm), []).append(arm)
    few = len(arms) <= _FEW
    for alike in by_data.values():
        yield from (
            (later, earlier) for earlier, later in combinations(alike, 2) if few or earlier is alike[0]
        )


def _note(selection: Selection, pairs: Sequence[Paired]) -> str:
    metric = selection.suite.metric
    tested = sum(pair.p is not None for pair in pairs)
    note = f"Differences in {NAMES.get(metric, metric)}, over the seeds that both have (paired t interval)."
    if tested:
        note += (
            f" p is of the paired t test, corrected (Holm) for as many comparisons as have one: {tested}; the intervals "
            "are not."
        )
    return f"{note} *Could be found* is the true difference that so many pairs find in 80 % of cases."


def _values(selection: Selection, arm: Arm) -> dict[int, float]:
    return {seed: found.value for seed, found in figures_of(selection, arm, selection.suite.metric).items()}


def _cells(two: tuple[Arm, Arm], pair: Paired) -> tuple[str, ...]:
    return (
        f"{two[0].label} less {two[1].label}",
        str(pair.n),
        _points(pair),
        NONE if pair.p_corrected is None else f"{pair.p_corrected:.2g}",
        NONE if pair.detectable is None else f"{100 * pair.detectable:.2g}",
        NONE if pair.needs is None else str(pair.needs),
    )


def _points(pair: Paired) -> str:
    mean, interval = 100 * (pair.mean or 0.0), pair.interval
    if interval is None:
        return f"{mean:+.2f}"
    digits = decimals_for(50 * (interval.high - interval.low))
    return f"{mean:+.{digits}f} [{100 * interval.low:+.{digits}f}, {100 * interval.high:+.{digits}f}]"
