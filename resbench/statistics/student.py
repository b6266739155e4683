"""Student's t and Holm's correction: the few functions that every comparison of means needs."""

from collections.abc import Sequence
from functools import lru_cache

from resbench.statistics.intervals import CONFIDENCE

ALPHA = 1 - CONFIDENCE


@lru_cache(maxsize=4096)
def quantile(freedom: float, level: float = ALPHA) -> float:
    """Return how many standard errors a two-sided interval reaches: 2.776 for 4 degrees of freedom at 5 %."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - level / 2))


def two_sided(t: float, freedom: float) -> float:
    """Return the chance of a t at least as far from zero, where there is no difference."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(t)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return each p-value corrected for its family, in the order given.

    The smallest of k is multiplied by k, the next by k - 1, and none may fall below one before it. The chance that any
    true hypothesis of the family is rejected stays at the level, however the tests depend on each other.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = highest
    return tuple(corrected)
