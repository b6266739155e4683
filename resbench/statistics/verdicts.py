"""Verdicts: whether a measured figure agrees with the published one, and why it may not be asked.

`judge` here takes one run, whose error is that of sampling the test pictures. `resbench.statistics.judging` takes
several seeds (`judge_runs`) and several arms (`judge_family`), whose error is that from run to run.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from resbench.results import Measurement, Statistic, Unit, plain
from resbench.specs import Precision, Published, Scale, Suite
from resbench.statistics.intervals import Interval, difference_interval
from resbench.units import GIGA, MIB, decimals_for

ONE_SEED = "one seed says nothing of the spread from run to run"


class Outcome(StrEnum):
    """What a comparison comes to."""

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    BETTER = "better"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    NOT_COMPARABLE = "not comparable"
    NO_FIGURE = "no published figure"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome and the reason for it, one sentence without its full stop.

    Attributes:
        needs: of an inconclusive one, how many runs in all would settle it, were difference and deviation to stay; None
            where no number of ours would.
        fields: of one that is not comparable, which fields of the protocol differ.
        n: how many runs of ours it rests on.
        value: our figure in the published statistic, in its unit.
        difference, interval: ours less the published one, and its 95 % interval.
        p: of the difference, corrected for the family of arms (Holm).
    """

    outcome: Outcome
    reason: str
    needs: int | None = None
    fields: tuple[str, ...] = ()
    n: int = 0
    value: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    p: float | None = None

    @property
    def label(self) -> str:
        """Return the outcome with what belongs to it: `inconclusive (needs n = 12)`, `not comparable (scale)`."""
        if self.outcome is Outcome.INCONCLUSIVE and self.needs is not None:
            return f"{self.outcome} (needs n = {self.needs})"
        if self.outcome is Outcome.NOT_COMPARABLE and self.fields:
            return f"{self.outcome} ({', '.join(self.fields)})"
        return str(self.outcome)


def judge(
    published: Published | None,
    measured: Measurement | None,
    *,
    differences: Sequence[str] = (),
    test_samples: int | None = None,
) -> Verdict:
    """Compare a measured figure with the published one.

    A computed figure (size, FLOPs) is reproduced when it rounds to the published digits, and differs otherwise: there
    is no better or worse. An accuracy is reproduced when the 95 % interval of its difference from the published one
    holds zero. Nothing is compared where the two did not ask the same.

    Args:
        published: the figure and its statistic.
        measured: ours, of the same metric.
        differences: what was asked otherwise than for the published figure (see `training_differences`).
        test_samples: how many samples our accuracy was read from; default: `measured.n`.
    """
    if measured is None:
        return Verdict(outcome=Outcome.NOT_RUN, reason="there is no result")
    if published is None:
        return Verdict(outcome=Outcome.NO_FIGURE, reason=f"the source publishes no {measured.metric}")
    asked = [*differences]
    if measured.metric != published.metric:
        asked.append(f"{measured.metric} is not {published.metric}")
    if measured.statistic is not published.statistic:
        asked.append(f"{measured.statistic} against {published.statistic}")
    if asked:
        return not_comparable(asked)
    if published.statistic is Statistic.COMPUTED:
        return judge_computed(published, measured)
    return _judge_share(published, measured, test_samples or measured.n)


def _judge_share(published: Published, measured: Measurement, n: int) -> Verdict:
    if published.failed:
        reason = "published 'fail': one run does not say how often runs fail"
        return Verdict(outcome=Outcome.INCONCLUSIVE, reason=reason, needs=published.runs // 2 + 1, n=1)
    if published.test_samples is None:
        reason = "the source does not say on how many samples it was tested"
        return Verdict(outcome=Outcome.NOT_COMPARABLE, reason=reason, fields=("test samples",))
    return _share(published, measured, n, published.test_samples)


def not_comparable(asked: Sequence[str]) -> Verdict:
    """Return the verdict on what was asked otherwise: each difference names its field in its first word."""
    fields = dict.fromkeys(_field(one) for one in asked)
    return Verdict(outcome=Outcome.NOT_COMPARABLE, reason="; ".join(asked), fields=tuple(fields))


def _field(difference: str) -> str:
    for phrase, field in ((" is not ", "metric"), (" against ", "statistic")):
        if phrase in difference:
            return field
    return difference.split(maxsplit=1)[0]


def judge_computed(published: Published, measured: Measurement) -> Verdict:
    """Compare a figure that follows from a definition, digit by digit."""
    ours, theirs = (shown(value, published) for value in (measured.value, published.value))
    if ours == theirs:
        return Verdict(outcome=Outcome.REPRODUCED, reason="computed, and equal to every published digit")
    return Verdict(outcome=Outcome.DIFFERS, reason=f"computed {ours}, published {theirs}")


def _share(published: Published, measured: Measurement, n: int, published_n: int) -> Verdict:
    interval = difference_interval(measured.value, n, published.value, published_n)
    digits = decimals_for(100 * (interval.high - interval.low) / 2)
    points, low, high = (
        f"{100 * share:+.{digits}f}"
        for share in (measured.value - published.value, interval.low, interval.high)
    )
    above, below = Outcome.BETTER, Outcome.WORSE
    if published.lower_is_better:
        above, below = below, above
    outcome, relation = Outcome.REPRODUCED, "which holds zero"
    if interval.low > 0:
        outcome, relation = above, "which lies above zero"
    elif interval.high < 0:
        outcome, relation = below, "which lies below zero"
    return Verdict(
        outcome=outcome,
        reason=f"difference {points} points, 95 % interval [{low}, {high}], {relation}; {ONE_SEED}",
    )


def shown(value: float, published: Published) -> str:
    """Return a value in the unit and with the decimals in which the published figure is printed."""
    if math.isnan(value):
        return published.printed
    scale = 1.0
    if published.unit is Unit.BYTE:
        scale = 1 / MIB
    elif published.metric in ("flops", "macs"):
        scale = 1 / GIGA
    elif published.metric == "parameters" and published.printed.endswith("M"):
        scale = 1e-6
    elif published.unit is Unit.ONE and published.test_samples is not None:
        scale = 100.0
    return f"{value * scale:.{published.decimals}f}"


def training_differences(experiment: Mapping[str, Any], suite: Suite) -> tuple[str, ...]:
    """Return what a trained experiment asked otherwise than the suite's published figures did.

    Args:
        experiment: `Result.experiment`: a `resbench.specs.Experiment` as plain data.
        suite: whose recipe is the published one; the published arithmetic is float32.
    """
    found = []
    if experiment["scale"] != Scale.FULL:
        found.append(f"scale {experiment['scale']} (published: {Scale.FULL})")
    if not experiment["data"]["official"]:
        found.append(f"data {experiment['data']['label']} (not the published set)")
    processes, theirs_processes = experiment.get("processes", 1), suite.arms[0].processes
    if len(suite.arms) == 1 and processes != theirs_processes:
        found.append(f"processes {processes} (the arm's: {theirs_processes})")
    if experiment["precision"] != Precision.FP32:
        found.append(f"precision {experiment['precision']} (published: {Precision.FP32})")
    theirs = dict(leaves(plain(suite.recipe)))
    ours = dict(leaves(experiment["recipe"]))
    for field in sorted(theirs.keys() | ours.keys()):
        # A reduced recipe has a name of its own, and its source is no part of the run.
        if field == "name" or field.startswith("source."):
            continue
        # What came after results were stored is left out at its default, on either side.
        asked, published = (
            side[field] if field in side else _default(suite.recipe, field) for side in (ours, theirs)
        )
        if asked != published:
            found.append(f"{field} {said(asked)} (published: {said(published)})")
    return tuple(found)


def _default(recipe: Any, field: str) -> Any:
    """Return the default of a recipe's field by its dotted name; None where it has none."""
    *folders, last = field.split(".")
    for folder in folders:
        recipe = getattr(recipe, folder)
    default = next((one.default for one in dataclasses.fields(recipe) if one.name == last), None)
    return None if default is dataclasses.MISSING else plain(default)


def profiling_differences(experiment: Mapping[str, Any], suite: Suite) -> tuple[str, ...]:
    """Return what a profiled experiment asked otherwise than the suite's published size and FLOPs did."""
    theirs, ours = plain(suite.profiling), experiment["profiling"]
    # Parameters and FLOPs are of one picture: the batch does not enter them.
    return tuple(
        f"{field} {said_of_input(ours.get(field))} (published: {said_of_input(theirs[field])})"
        for field in ("num_classes", "input_CHW")
        if ours.get(field) != theirs[field]
    )


def leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested plain data with its dotted name: ("schedule.length", 100)."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def said(value: Any) -> str:
    """Return a plain value as a reader writes it: yes, none, 32000, 48000."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def said_of_input(value: Any) -> str:
    """Return the shape of an input as a reader writes it, 3x224x224, and anything else as `said` does."""
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else said(value)
