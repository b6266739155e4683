"""How far from a published figure ours may lie and still be the same for all purposes: fixed before anything is run.

The rule (decision 10): the figure's own `margin`; else three times the run-to-run deviation that its source prints with
it; else, for an accuracy or an error, half a percentage point; else there is none. Our own seeds never enter: noisier runs
would make the claim easier.
"""

from resbench.results import Statistic, Unit
from resbench.specs import Published

DEVIATIONS = 3.0
POINTS = 0.005


def is_share(published: Published) -> bool:
    """Whether a figure is an accuracy or an error, read off test pictures."""
    if published.unit is not Unit.ONE or published.statistic is Statistic.COMPUTED:
        return False
    return published.test_samples is not None or published.metric.startswith(("top1", "top5"))


def margin_of(published: Published) -> float | None:
    """Return the margin within which a figure counts as reproduced, in its unit; None where there is no rule."""
    if published.margin is not None:
        return published.margin
    if published.std is not None:
        return DEVIATIONS * published.std
    return POINTS if is_share(published) else None


def margin_rule(published: Published) -> str:
    """Return the rule behind `margin_of`, for the reader."""
    if published.margin is not None:
        return "stated with the figure"
    if published.std is not None:
        return "three published deviations"
    return "half a point" if is_share(published) else "none"
