"""Several seeds of each arm as one figure, beside the published one: the mean in both readings, and a verdict on it."""

from typing import Final

from resbench.reporting.arm_table import said_of_figure
from resbench.reporting.figures import NONE, NOT_RUN
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection, differences_of, limits
from resbench.results import Measurement
from resbench.specs import Arm
from resbench.statistics.judging import Case, judge_family
from resbench.statistics.summaries import over_seeds
from resbench.statistics.verdicts import Verdict

_METRICS: Final = {"top1": "top-1", "top5": "top-5"}


def seed_means(selection: Selection) -> str:
    """Return the table of means over seeds with their verdicts; empty where no arm ran with more than one seed."""
    if not several_seeds(selection):
        return ""
    rows, reasons = [], []
    for metric, name in _METRICS.items():
        verdicts = judge_family([_case(selection, arm, metric) for arm in selection.arms])
        for arm, verdict in zip(selection.arms, verdicts, strict=True):
            rows.append(_cells(selection, arm, (metric, name), verdict))
            reasons.append(f"{arm.label}, {name}: **{verdict.label}**: {verdict.reason}.")
    headers = (
        "Architecture",
        "Accuracy",
        "Published, %",
        "As published, %: mean [95 % over seeds]",
        "Strict, %: mean [95 % over seeds]",
        "Seeds",
        "Verdict, as published",
    )
    reduced = limits(selection)
    note = (
        "Brackets are 95 % intervals of the mean from seed to seed (Student's t), on the same test samples; one seed has none. The "
        "verdict is on all seeds; those above are of single runs."
    )
    ordered = sorted(rows, key=lambda row: [arm.label for arm in selection.arms].index(row[0]))
    return blocks(
        f"**{reduced}**" if reduced else "",
        note,
        table(headers, ordered, numbers=(5,)),
        "Why these verdicts:",
        bullets(dict.fromkeys(reasons)),
    )


def several_seeds(selection: Selection) -> bool:
    """Whether any arm was trained with more than one seed."""
    return any(len(results) > 1 for results in selection.trained.values())


def _found(selection: Selection, arm: Arm, metric: str) -> list[Measurement]:
    results = selection.trained.get(arm.id, ())
    return [found for result in results if (found := result.find(metric))]


def _case(selection: Selection, arm: Arm, metric: str) -> Case:
    results = selection.trained.get(arm.id, ())
    measured = _found(selection, arm, f"{metric}_published")
    differences = (differences_of(selection, arm, result) for result in results)
    return Case(
        published=arm.figure(f"{metric}_published"),
        measured=measured,
        differences=next(filter(None, differences), ()),
        diverged=len(results) - len(measured),
        pool=metric,
    )


def _cells(selection: Selection, arm: Arm, accuracy: tuple[str, str], verdict: Verdict) -> tuple[str, ...]:
    metric, name = accuracy
    found = _found(selection, arm, f"{metric}_strict")
    runs = selection.trained.get(arm.id, ())
    lost = len(runs) - len(found)
    published = arm.figure(f"{metric}_published")
    return (
        arm.label,
        name,
        said_of_figure(published) if published else NONE,
        *(_mean(_found(selection, arm, f"{metric}_{reading}")) for reading in ("published", "strict")),
        f"{len(found)}" + (f" + {lost} diverged" if lost else ""),
        verdict.label,
    )


def _mean(found: list[Measurement]) -> str:
    return over_seeds([one.value for one in found]).shown(100.0) if found else NOT_RUN
