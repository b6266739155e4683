"""Runs that fail: a source's 'fail' is an outcome of its own, on both sides, and never a number.

He et al. 2016 (Table 1) print 'fail' where the median of five runs has an error over 20 %: three or more of them failed.
Ours are counted the same way. A run that diverged has failed, whatever the source.
"""

from collections.abc import Sequence
from math import comb

from resbench.results import Measurement
from resbench.specs import Published
from resbench.statistics.student import ALPHA
from resbench.statistics.verdicts import Outcome, Verdict

_MOST = 500


def failed_runs(published: Published, measured: Sequence[Measurement]) -> int:
    """Return how many runs have an error beyond what the source calls failed; exactly at the limit is not beyond."""
    if published.fails_beyond is None:
        return 0
    # The difference of two shares is rounded: 1 - 0.8 is a little less than 0.2.
    limit = published.fails_beyond + 1e-12
    return sum((found.value if published.lower_is_better else 1 - found.value) > limit for found in measured)


def judge_failing(published: Published, failed: int, n: int) -> Verdict | None:
    """Return the verdict that failing runs decide, or None where figures are to be compared.

    Args:
        published: a number, or 'fail'.
        failed: how many of ours failed.
        n: how many runs are ours.
    """
    if published.failed:
        return _published_failed(published, failed, n)
    if failed == 0:
        return None
    reason = f"{_count(failed, n)}; published {published.printed}"
    if 2 * failed > n:
        return Verdict(outcome=Outcome.FAILED, reason=reason, n=n)
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        reason=f"{reason}: with failed runs among them neither mean nor deviation describes the rest",
        n=n,
    )


def _published_failed(published: Published, failed: int, n: int) -> Verdict:
    theirs = f"published 'fail' ({published.statistic} of {published.runs})"
    reason = f"{_count(failed, n)}; {theirs}"
    outcome = _decided(published.runs, failed, n)
    if outcome is Outcome.BETTER:
        reason += f": were half of all runs to fail, so few would in {_chance(failed, n):.1%} of cases"
    if outcome is not None:
        return Verdict(outcome=outcome, reason=reason, n=n)
    needs = next(
        (more for more in range(n + 1, _MOST) if _decided(published.runs, round(failed * more / n), more)),
        None,
    )
    return Verdict(outcome=Outcome.INCONCLUSIVE, reason=reason, needs=needs, n=n)


def _decided(theirs: int, failed: int, n: int) -> Outcome | None:
    """Return what is settled: that the median of as many runs as theirs fails, or that most runs do not fail."""
    if 2 * failed > n and failed > theirs // 2:
        return Outcome.REPRODUCED
    return Outcome.BETTER if _chance(failed, n) <= ALPHA else None


def _chance(failed: int, n: int) -> float:
    """Return the chance of at most so many failures where a run fails as often as not (exact sign test, one side)."""
    return float(sum(comb(n, k) for k in range(failed + 1)) / 2**n)


def _count(failed: int, n: int) -> str:
    return f"{failed} of {n} run{'s' if n > 1 else ''} failed"
