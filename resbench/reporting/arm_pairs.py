"""Differences between arms, seed by seed: with shared seeds, what a seed does to all arms drops out."""

from resbench.reporting.arm_figures import NAMES, figures_of
from resbench.reporting.figures import NONE
from resbench.reporting.markdown import blocks, table
from resbench.reporting.selection import Selection
from resbench.specs import Arm
from resbench.statistics.pairs import Paired, compare_arms
from resbench.units import decimals_for


def arm_pairs(selection: Selection) -> str:
    """Return the table of differences from the first arm; empty where no arm shares a seed with it."""
    values = [_values(selection, arm) for arm in selection.arms]
    if not values:
        return ""
    found = compare_arms(values[0], values[1:])
    pairs = [(arm, pair) for arm, pair in zip(selection.arms[1:], found, strict=True) if pair.n]
    if not pairs:
        return ""
    first, metric = selection.arms[0], selection.suite.metric
    tested = sum(pair.p is not None for _, pair in pairs)
    note = (
        f"Differences in {NAMES.get(metric, metric)} from {first.label}, over the seeds that both have (paired t interval)."
        + (
            f" p is of the paired t test, corrected (Holm) for as many comparisons as have one: {tested}."
            if tested
            else ""
        )
        + " *Could be found* is the true difference that so many pairs find in 80 % of cases."
    )
    headers = (
        "Arm",
        "Shared seeds",
        f"Less {first.label}, points [95 %]",
        "p",
        "Could be found, points",
        "Pairs to settle",
    )
    notes = dict.fromkeys(pair.rank_note for _, pair in pairs if pair.rank_note)
    body = table(headers, [_cells(arm, pair) for arm, pair in pairs], numbers=(1, 3, 4, 5))
    return blocks(note, body, "No rank test: " + "; ".join(notes) + "." if notes else "")


def _values(selection: Selection, arm: Arm) -> dict[int, float]:
    return {seed: found.value for seed, found in figures_of(selection, arm, selection.suite.metric).items()}


def _cells(arm: Arm, pair: Paired) -> tuple[str, ...]:
    return (
        arm.label,
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
