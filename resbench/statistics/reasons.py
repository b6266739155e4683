"""The sentence behind a verdict on several runs."""

from resbench.specs import Published
from resbench.statistics.contrasts import Contrast, said_of_ours, said_of_theirs
from resbench.statistics.margins import is_share, margin_of, margin_rule
from resbench.statistics.verdicts import Outcome, shown
from resbench.units import decimals_for


def reason_of(found: Contrast, outcome: Outcome, p: float, comparisons: int, needs: int | None) -> str:
    """Return both figures, their difference with its interval, what that means, and the deviation behind it.

    Args:
        found: the comparison.
        outcome: what it came to.
        p: of the difference, corrected.
        comparisons: of how many arms it is corrected for.
        needs: how many runs would settle it.
    """
    published, spread = found.published, found.spread
    low, high = (
        points(published, found.difference + end, found.reach) for end in (-found.reach, found.reach)
    )
    ours = shown(found.ours, published)
    unit = " points" if is_share(published) else ""
    difference = points(published, found.difference, found.reach)
    groups = f" from {spread.groups} groups of runs" if spread.groups > 1 else ""
    parts = [
        f"{said_of_ours(published, found.n)} {ours}, published {published.printed} ({said_of_theirs(published)})",
        f"difference {difference}{unit}, 95 % interval [{low}, {high}] from seed to seed, "
        + _relation(found, outcome, comparisons),
        f"deviation {_scaled(published, spread.deviation):.2g}{unit} with {spread.freedom} degrees of freedom{groups}",
    ]
    if comparisons > 1:
        parts.append(f"p = {p:.2g} corrected for {comparisons} comparisons")
    if outcome is Outcome.INCONCLUSIVE and needs is None:
        parts.append("no number of our runs would settle it: the published figure's own error remains")
    return "; ".join(parts)


def _relation(found: Contrast, outcome: Outcome, comparisons: int) -> str:
    margin = margin_of(found.published)
    limit = (
        "no margin is stated" if margin is None else f"the margin of {_scaled(found.published, margin):.2g}"
    )
    if outcome is Outcome.REPRODUCED:
        return f"which lies within {limit} ({margin_rule(found.published)})"
    if abs(found.difference) > found.reach:
        side = f"which lies {'above' if found.difference > 0 else 'below'} zero"
        if outcome is not Outcome.INCONCLUSIVE:
            return side
        return f"{side}, but not once {comparisons} comparisons are corrected for"
    if margin is None:
        return f"which holds zero; {limit}"
    return f"which holds zero and reaches beyond {limit} ({margin_rule(found.published)})"


def _scaled(published: Published, value: float) -> float:
    return 100 * value if is_share(published) else value


def points(published: Published, difference: float, reach: float) -> str:
    """Return a difference in the display unit, with its sign and the digits that an interval of `reach` supports."""
    digits = decimals_for(_scaled(published, reach))
    return f"{_scaled(published, difference):+.{digits}f}"
