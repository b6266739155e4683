"""Differences between arms that share their seeds, and so their order of samples and much of their initialisation.

What two arms have in common cancels in each pair. `compare_pairs` takes one arm against another, `compare_arms` several
against one and `compare_all` any, corrected for their number (Holm).

No p-value is given that the design can't support: a rank test of n pairs cannot fall below 2 / 2**n, which for five is
0.0625. There it is left out, and `rank_note` says so.
"""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resbench.statistics.intervals import Interval
from resbench.statistics.pair_prospects import detectable_between, pairs_needed
from resbench.statistics.spread import spread_of
from resbench.statistics.student import ALPHA, holm, quantile, two_sided

_EXHAUSTIVE = 12  # pairs up to which every choice of signs is gone through


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One arm less another, over the seeds that both have.

    Attributes:
        seeds: shared by both, in order; n is their number.
        differences: of each seed.
        mean: of the differences; None without any.
        interval: 95 %, of Student's t; None below two seeds or where all differences are alike.
        deviation: of the differences.
        p: of the t test, two-sided.
        p_corrected: the same, corrected for the family of arms.
        p_sign, p_ranks: of the sign test and of Wilcoxon's signed ranks; None where they could not reach 5 %.
        rank_note: why there is none, with the least p that so many pairs can reach.
        detectable: the true difference that so many pairs find in 80 % of cases, the deviation being as found.
        needs: how many pairs would find the difference as found in 80 % of cases; None: it is found, lies below a
            fifth of the deviation, or takes more than 200.
    """

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    mean: float | None
    interval: Interval | None = None
    deviation: float | None = None
    p: float | None = None
    p_corrected: float | None = None
    p_sign: float | None = None
    p_ranks: float | None = None
    rank_note: str = ""
    detectable: float | None = None
    needs: int | None = None

    @property
    def n(self) -> int:
        """How many pairs there are."""
        return len(self.seeds)

    @property
    def found(self) -> bool:
        """Whether a difference was found, after the correction."""
        return self.p_corrected is not None and self.p_corrected <= ALPHA


def least_p(n: int) -> float:
    """Return the least two-sided p that a sign or signed-rank test of `n` pairs can reach: all on one side."""
    return min(1.0, 2.0 ** (1 - n))


def compare_pairs(first: Mapping[int, float], second: Mapping[int, float]) -> Paired:
    """Return `first - second`, each given by its seed."""
    seeds = tuple(sorted(first.keys() & second.keys()))
    differences = tuple(first[seed] - second[seed] for seed in seeds)
    if not differences:
        return Paired(seeds=(), differences=(), mean=None, rank_note="the two share no seed")
    mean, spread = statistics.fmean(differences), spread_of(differences)
    p_sign, p_ranks, note = _rank_tests(differences)
    found = Paired(
        seeds=seeds, differences=differences, mean=mean, p_sign=p_sign, p_ranks=p_ranks, rank_note=note
    )
    if spread is None:
        return found
    n, error = len(seeds), spread.deviation / len(seeds) ** 0.5
    reach = error * quantile(n - 1)
    p = two_sided(mean / error, n - 1)
    return dataclasses.replace(
        found,
        interval=Interval(low=mean - reach, high=mean + reach),
        deviation=spread.deviation,
        p=p,
        p_corrected=p,
        detectable=detectable_between(n, spread.deviation),
        needs=_needs(n, mean, spread.deviation) if p > ALPHA else None,
    )


def compare_arms(baseline: Mapping[int, float], others: Sequence[Mapping[int, float]]) -> tuple[Paired, ...]:
    """Return each of `others` less the baseline, in order, with p-values corrected for their number."""
    return compare_all([(other, baseline) for other in others])


def compare_all(
    pairs: Sequence[tuple[Mapping[int, float], Mapping[int, float]]],
) -> tuple[Paired, ...]:
    """Return the first less the second of each pair, in order, with p-values corrected for the number of pairs."""
    found = [compare_pairs(first, second) for first, second in pairs]
    tested = [i for i, one in enumerate(found) if one.p is not None]
    corrected = holm([p for one in found if (p := one.p) is not None])
    for i, p in zip(tested, corrected, strict=True):
        one = found[i]
        needs = one.needs
        if p > ALPHA and one.mean is not None and one.deviation is not None:
            needs = _needs(one.n, one.mean, one.deviation, level=ALPHA / len(tested))
        found[i] = dataclasses.replace(one, p_corrected=p, needs=needs)
    return tuple(found)


def _needs(n: int, mean: float, deviation: float, level: float = ALPHA) -> int | None:
    # A difference near zero would need any number: searching for it is of no use.
    if abs(mean) < deviation / 5:
        return None
    needed = pairs_needed(mean, deviation, level=level)
    return needed if needed is None else max(needed, n + 1)


def _rank_tests(differences: Sequence[float]) -> tuple[float | None, float | None, str]:
    """Return the p-values of the sign test and of the signed ranks, or why there are none; ties at zero are left out."""
    moved = [one for one in differences if one != 0]
    least = least_p(len(moved))
    if least > ALPHA:
        return None, None, f"{len(moved)} pairs can't reach p < 0.05 by ranks: the least is {least:.2g}"
    from scipy.stats import PermutationMethod, binomtest, wilcoxon

    sign = float(binomtest(sum(one > 0 for one in moved), len(moved)).pvalue)
    if len(moved) <= _EXHAUSTIVE:
        ranks = wilcoxon(moved, method=PermutationMethod(n_resamples=2**_EXHAUSTIVE))
    else:
        ranks = wilcoxon(moved, method="auto")  # exact up to 50 without ties, else normal
    return sign, float(ranks.pvalue), ""
