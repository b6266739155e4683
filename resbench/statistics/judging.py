"""Verdicts on several seeds, and on several arms at once.

The interface for reports:

```python
verdict = judge_runs(published, measurements, differences=training_differences(...), diverged=0)
verdicts = judge_family([Case(published=..., measured=(...), differences=..., pool="cifar10"), ...])
verdict.label      # "inconclusive (needs n = 12)", "not comparable (scale, precision)", "reproduced"
verdict.reason     # one sentence without its full stop
verdict.value, verdict.n, verdict.difference, verdict.interval, verdict.p   # for the cells of a table
```

* `measured` holds one `Measurement` a seed, each of one run; a run that diverged and has no figure counts in `diverged`.
* `judge_family` takes all arms of one table, those without results too, and answers in their order. Differences are
  corrected over the family (Holm), and deviations pooled among cases of one `pool` where Bartlett's test lets them be.
* The error shown is that from seed to seed on the same test pictures. Sampling of the test pictures does not enter: both
  sides were tested on the same ones.

The rules and their reasons: docs/adr/0010-verdicts.md.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from resbench.results import Measurement, Statistic
from resbench.specs import Published
from resbench.statistics.contrasts import Contrast, summary_of, variance_factor
from resbench.statistics.deciding import decide, runs_to_settle
from resbench.statistics.failing import failed_runs, judge_failing
from resbench.statistics.intervals import Interval
from resbench.statistics.margins import DEVIATIONS, POINTS, margin_of
from resbench.statistics.reasons import points, reason_of
from resbench.statistics.spread import Spread, alike, pooled, spread_of
from resbench.statistics.student import ALPHA, holm
from resbench.statistics.verdicts import ONE_SEED, Outcome, Verdict, judge_computed, not_comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One arm's runs beside its published figure.

    Attributes:
        published: None where the source publishes none.
        measured: of each run, the figure of the published metric.
        differences: what was asked otherwise than for the published figure; of the first run that differs.
        diverged: how many further runs ended without a figure.
        pool: cases of one pool may share their deviation: one data set, one metric.
    """

    published: Published | None
    measured: Sequence[Measurement] = ()
    differences: Sequence[str] = ()
    diverged: int = 0
    pool: str = ""


def judge_runs(
    published: Published | None,
    measured: Sequence[Measurement],
    *,
    differences: Sequence[str] = (),
    diverged: int = 0,
) -> Verdict:
    """Compare several runs of one arm with its published figure, as the same statistic.

    Args:
        published: the figure and its statistic.
        measured: ours, one a seed.
        differences: what was asked otherwise than for the published figure (see `training_differences`).
        diverged: how many further runs ended without a figure.
    """
    case = Case(published=published, measured=measured, differences=differences, diverged=diverged)
    return judge_family([case])[0]


def judge_family(cases: Sequence[Case]) -> tuple[Verdict, ...]:
    """Compare every arm of a table with its published figure, and correct for their number."""
    first = [_without_figures(case) for case in cases]
    open_cases = [i for i, verdict in enumerate(first) if verdict is None]
    spreads = _spreads([cases[i] for i in open_cases])
    found = {i: _compared(cases[i], spread) for i, spread in zip(open_cases, spreads, strict=True)}
    contrasts = {i: one for i, one in found.items() if isinstance(one, Contrast)}
    corrected = dict(zip(contrasts, holm([one.p for one in contrasts.values()]), strict=True))
    return tuple(
        _closed(verdict or found[i], corrected.get(i, 1.0), len(contrasts)) for i, verdict in enumerate(first)
    )


def _without_figures(case: Case) -> Verdict | None:
    """Return the verdict of a case in which no two figures can be compared, or None."""
    published, measured = case.published, case.measured
    if not measured and not case.diverged:
        return Verdict(outcome=Outcome.NOT_RUN, reason="there is no result")
    n = len(measured) + case.diverged
    if published is None:
        return Verdict(outcome=Outcome.NO_FIGURE, reason="the source publishes no such figure", n=n)
    asked = [*case.differences, *_misread(published, measured)]
    if asked:
        return dataclasses.replace(not_comparable(asked), n=n)
    if published.statistic is Statistic.COMPUTED:
        odd = next(
            (one for one in measured if judge_computed(published, one).outcome is Outcome.DIFFERS), None
        )
        return dataclasses.replace(judge_computed(published, odd or measured[0]), n=n)
    return judge_failing(published, failed_runs(published, measured) + case.diverged, n)


def _misread(published: Published, measured: Sequence[Measurement]) -> list[str]:
    last = (Statistic.LAST, Statistic.SINGLE)
    asked: dict[str, None] = {}
    for one in measured:
        if one.metric != published.metric:
            asked[f"{one.metric} is not {published.metric}"] = None
        elif one.statistic is not published.read_off and not {one.statistic, published.read_off} <= {*last}:
            asked[f"{one.statistic} against {published.read_off}"] = None
    return list(asked)


def _spreads(cases: Sequence[Case]) -> list[Spread | None]:
    """Return the deviation to judge each case by: its pool's, where its pool agrees, else its own."""
    own = [_own_spreads(case) for case in cases]
    found = []
    for case, mine in zip(cases, own, strict=True):
        shared = [
            one for other, theirs in zip(cases, own, strict=True) if other.pool == case.pool for one in theirs
        ]
        found.append(pooled(shared if alike(shared) else mine))
    return found


def _own_spreads(case: Case) -> list[Spread]:
    published = case.published
    spreads = [spread_of([one.value for one in case.measured])]
    if published is not None and published.std is not None and published.runs > 1:
        spreads.append(Spread(deviation=published.std, freedom=published.runs - 1))
    return [spread for spread in spreads if spread is not None]


def _compared(case: Case, spread: Spread | None) -> Contrast | Verdict:
    published, values = case.published, [one.value for one in case.measured]
    assert published is not None
    if spread is None:
        return _spreadless(published, values)
    ours = summary_of(published, values, spread)
    error = spread.deviation * math.sqrt(variance_factor(published, len(values), spread.freedom))
    return Contrast(published, len(values), ours, ours - published.value, error, spread)


def _spreadless(published: Published, values: Sequence[float]) -> Verdict:
    """Return the verdict where nothing tells the deviation; the n to aim at takes the one behind the margin rule."""
    n = len(values)
    ours = sum(values) / n
    difference = ours - published.value
    margin = margin_of(published)
    supposed = Spread(deviation=(margin or POINTS) / DEVIATIONS, freedom=n - 1)
    why = (
        ONE_SEED if n == 1 else f"{n} runs alike to the last digit say nothing of the spread from run to run"
    )
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        reason=f"difference {points(published, difference, 0.0005)}; {why}, and the source prints no deviation",
        needs=runs_to_settle(published, n, abs(difference), supposed, margin),
        n=n,
        value=ours,
        difference=difference,
    )


def _closed(found: Verdict | Contrast | None, p: float, comparisons: int) -> Verdict:
    assert found is not None
    if isinstance(found, Verdict):
        return found
    margin = margin_of(found.published)
    outcome = decide(found.gain, found.reach, margin, significant=p <= ALPHA)
    needs = None
    if outcome is Outcome.INCONCLUSIVE:
        needs = runs_to_settle(
            found.published, found.n, found.gain, found.spread, margin, level=ALPHA / comparisons
        )
    return Verdict(
        outcome=outcome,
        reason=reason_of(found, outcome, p, comparisons, needs),
        needs=needs,
        n=found.n,
        value=found.ours,
        difference=found.difference,
        interval=Interval(low=found.difference - found.reach, high=found.difference + found.reach),
        p=p,
    )
