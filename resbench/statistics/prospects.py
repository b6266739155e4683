"""Before anything is run: which verdicts a planned number of runs can reach, and which difference it would find.

```python
prospects(published, n=5, deviation=0.002)            # chances of each outcome where both are truly the same
detectable(published, n=5, deviation=0.002)           # the difference called better or worse in 80 % of cases; or None
runs_needed(published, deviation=0.002)               # n at which a true reproduction is called one in 80 % of cases
```

For the difference of two arms of ours see `resbench.statistics.pair_prospects`.

A deviation must come from somewhere: the source (`Published.std`), stored runs (`spread.spread_of`). Without one there
is no plan; none is made up here.
"""

import math
from dataclasses import dataclass
from typing import Any

from resbench.specs import Published
from resbench.statistics.best_draws import draws
from resbench.statistics.contrasts import Route, route_of, variance_factor
from resbench.statistics.deciding import MOST_RUNS
from resbench.statistics.margins import margin_of
from resbench.statistics.pair_prospects import POWER, smallest
from resbench.statistics.student import ALPHA, quantile

_STRIPS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """The chance of each outcome; they add up to one."""

    better: float
    worse: float
    reproduced: float
    inconclusive: float


def prospects(
    published: Published,
    n: int,
    deviation: float,
    gain: float = 0.0,
    *,
    extra: int | None = None,
    comparisons: int = 1,
) -> Prospects:
    """Return the chance of each verdict for `n` runs of ours.

    Exact for means of normal runs, and within a point or two for medians. For bests it is drawn, by 100,000 draws.

    Args:
        published: the figure and how many runs are behind it.
        n: how many runs are planned; at least 2, or 1 with `extra`.
        deviation: the true run-to-run deviation, as supposed, in the figure's unit.
        gain: how much better ours truly is, in the same unit; negative: worse.
        extra: degrees of freedom that other runs add to our n - 1; default: those of the published deviation, if any.
        comparisons: of how many arms; each is tested at its share of 5 % (Holm's correction rejects no less).

    Raises:
        ValueError: nothing would tell the deviation.
    """
    extra = _extra(published) if extra is None else extra
    freedom = n - 1 + extra
    if freedom < 1 or deviation <= 0:
        raise ValueError(f"{n} runs and {extra} degrees of freedom tell no deviation {deviation}")
    error = math.sqrt(variance_factor(published, n, freedom))
    margin = (margin_of(published) or 0.0) / deviation
    reach, test = error * quantile(freedom), error * quantile(freedom, ALPHA / comparisons)
    if route_of(published, n) in (Route.BEST, Route.EXPECTED_BEST):
        chances = _of_draws(published, n, extra, gain / deviation, (reach, test, margin))
    else:
        chances = _of_normal(freedom, error, gain / deviation, (reach, test, margin))
    better, worse, reproduced = chances
    return Prospects(better=better, worse=worse, reproduced=reproduced, inconclusive=1 - sum(chances))


def _extra(published: Published) -> int:
    return published.runs - 1 if published.std is not None else 0


def _of_normal(
    freedom: int, error: float, gain: float, limits: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Average over the estimated deviation (its chi distribution in equal strips) what the normal difference does."""
    import numpy as np
    from scipy.special import chdtri, ndtr

    strips = (np.arange(_STRIPS) + 0.5) / _STRIPS
    estimated = np.sqrt(chdtri(freedom, strips) / freedom)
    beyond, within = _edges(estimated, limits)

    def below(x: Any) -> Any:
        return ndtr((x - gain) / error)

    reproduced = np.where(within > 0, below(within) - below(-within), 0.0)
    return float(np.mean(1 - below(beyond))), float(np.mean(below(-beyond))), float(np.mean(reproduced))


def _of_draws(
    published: Published, n: int, extra: int, gain: float, limits: tuple[float, float, float]
) -> tuple[float, float, float]:
    import numpy as np

    drawn = draws(n, published.runs, extra)
    beyond, within = _edges(drawn.deviation, limits)
    found = drawn.difference + gain
    chances = (found > beyond, found < -beyond, np.abs(found) <= within)
    return tuple(float(np.mean(one)) for one in chances)  # type: ignore[return-value]  # three of them


def _edges(estimated: Any, limits: tuple[float, float, float]) -> tuple[Any, Any]:
    """Return beyond which difference `decide` says better or worse, and within which reproduced."""
    import numpy as np

    reach, test, margin = (limits[0] * estimated, limits[1] * estimated, limits[2])
    within = margin - reach
    return np.maximum(np.maximum(reach, test), within), within


def detectable(
    published: Published,
    n: int,
    deviation: float,
    *,
    power: float = POWER,
    extra: int | None = None,
    comparisons: int = 1,
) -> float | None:
    """Return the true difference that `n` runs would call worse with a chance of `power`; None without a deviation.

    Args:
        published: the figure.
        n: how many runs are planned.
        deviation: the run-to-run deviation supposed, in the figure's unit.
        power: the chance asked for.
        extra: as for `prospects`.
        comparisons: as for `prospects`.
    """
    if n - 1 + (_extra(published) if extra is None else extra) < 1:
        return None

    def reached(difference: float) -> bool:
        found = prospects(published, n, deviation, -difference, extra=extra, comparisons=comparisons)
        return found.worse >= power

    return smallest(reached, deviation)


def runs_needed(
    published: Published, deviation: float, *, power: float = POWER, extra: int | None = None
) -> int | None:
    """Return how many runs call a true reproduction `reproduced` with a chance of `power`; None where none do."""
    first = 1 if (_extra(published) if extra is None else extra) else 2
    return next(
        (
            n
            for n in range(first, MOST_RUNS + 1)
            if prospects(published, n, deviation, extra=extra).reproduced >= power
        ),
        None,
    )
