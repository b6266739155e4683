"""What a difference, its interval and the margin come to, and how many runs would settle it."""

import math

from resbench.specs import Published
from resbench.statistics.contrasts import variance_factor
from resbench.statistics.spread import Spread
from resbench.statistics.student import ALPHA, quantile
from resbench.statistics.verdicts import Outcome

MOST_RUNS = 200
"""Nobody trains more of one network: what takes more is told as settled by no number of runs."""


def decide(gain: float, reach: float, margin: float | None, *, significant: bool) -> Outcome:
    """Return the outcome of one comparison.

    * The interval lies within the margin: `reproduced`, even where it leaves zero out: what is left is too small to
      matter.
    * Else it leaves zero out, and does so after the correction for the family: `better` or `worse`.
    * Else nothing has been shown: `inconclusive`.

    Args:
        gain: difference to the published figure, positive where ours is the better one.
        reach: half the width of its 95 % interval.
        margin: within which a figure counts as reproduced; None: no such claim is possible.
        significant: whether the corrected p-value is at most 5 %.
    """
    if margin is not None and abs(gain) + reach <= margin:
        return Outcome.REPRODUCED
    if significant and abs(gain) > reach:
        return Outcome.BETTER if gain > 0 else Outcome.WORSE
    return Outcome.INCONCLUSIVE


def runs_to_settle(
    published: Published, n: int, gain: float, spread: Spread, margin: float | None, *, level: float = ALPHA
) -> int | None:
    """Return how many runs in all would settle a comparison, were its difference and deviation to stay as they are.

    None where more than `MOST_RUNS` would be needed: often no number is enough, because the published figure's own
    error remains.

    Args:
        published: the figure.
        n: how many runs there are; more than these are looked for.
        gain: the difference found.
        spread: the deviation, in which our `n` runs have n - 1 degrees of freedom, and further runs have one each.
        margin: as for `decide`.
        level: of the test for a difference, where several arms share 5 %.
    """

    def settles(more: int) -> bool:
        freedom = spread.freedom + more - n
        error = spread.deviation * math.sqrt(variance_factor(published, more, freedom))
        significant = abs(gain) >= error * quantile(freedom, level)
        reach = error * quantile(freedom)
        return decide(gain, reach, margin, significant=significant) is not Outcome.INCONCLUSIVE

    # Intervals only get narrower: what the most runs leave open, fewer do, too.
    if not settles(MOST_RUNS):
        return None
    return next((more for more in range(max(n + 1, 2), MOST_RUNS + 1) if settles(more)), None)
