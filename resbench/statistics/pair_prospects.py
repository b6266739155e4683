"""Before anything is run: which difference between two arms of ours, with shared seeds, a planned number would find.

```python
detectable_between(n=5, deviation=0.002)          # the true difference found in 80 % of cases
pairs_needed(difference=0.005, deviation=0.002)   # the n that finds a difference in 80 % of cases
```
"""

import math
from collections.abc import Callable

from resbench.statistics.deciding import MOST_RUNS
from resbench.statistics.student import ALPHA, quantile

POWER = 0.80


def pair_power(n: int, difference: float, deviation: float, *, level: float = ALPHA) -> float:
    """Return the chance that a paired t test of `n` pairs finds a true difference at 5 %, two-sided.

    Args:
        n: pairs; at least 2.
        difference: the true mean difference.
        deviation: of the differences, not of the runs.
        level: of the test; a share of 5 % where several arms are compared.
    """
    from scipy.special import nctdtr

    limit, away = quantile(n - 1, level), abs(difference) / deviation * math.sqrt(n)
    return float(1 - nctdtr(n - 1, away, limit) + nctdtr(n - 1, away, -limit))


def detectable_between(
    n: int, deviation: float, *, power: float = POWER, level: float = ALPHA
) -> float | None:
    """Return the true paired difference that `n` seeds find with a chance of `power`; None below two seeds."""
    if n < 2:
        return None
    return smallest(lambda difference: pair_power(n, difference, deviation, level=level) >= power, deviation)


def pairs_needed(
    difference: float, deviation: float, *, power: float = POWER, level: float = ALPHA
) -> int | None:
    """Return how many shared seeds find a true difference with a chance of `power`; None above `MOST_RUNS`."""
    return next(
        (n for n in range(2, MOST_RUNS + 1) if pair_power(n, difference, deviation, level=level) >= power),
        None,
    )


def smallest(reached: Callable[[float], bool], unit: float) -> float:
    """Return the least positive difference for which `reached` holds; `unit` is where to begin looking."""
    low, high = 0.0, unit
    while not reached(high):
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
