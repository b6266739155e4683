"""Each arm's runs beside its published figures, with a verdict on every figure."""

from dataclasses import dataclass

from resbench.reporting.arm_figures import NAMES, figure_of, figures_of
from resbench.reporting.figures import NONE, NOT_RUN
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection, differences_of, limits
from resbench.results import Statistic
from resbench.specs import Arm, Published
from resbench.statistics.contrasts import said_of_theirs
from resbench.statistics.judging import Case, judge_family
from resbench.statistics.summaries import over_seeds
from resbench.statistics.verdicts import Verdict, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: an arm, a metric, and the published figure of it, where there is one."""

    arm: Arm
    metric: str
    published: Published | None


def arm_table(selection: Selection) -> str:
    """Return the table of accuracies, its caption, and the reasons for its verdicts."""
    lines = [line for arm in selection.arms for line in _lines(selection, arm)]
    verdicts = _verdicts(selection, lines)
    headers = (
        "Arm",
        "Figure",
        "Published, %",
        "Ours, %: mean [95 % over seeds]",
        "Ours in the published statistic, %",
        "Runs",
        "Verdict",
    )
    rows = [_cells(selection, line, verdict) for line, verdict in zip(lines, verdicts, strict=True)]
    return blocks(
        _caption(selection),
        table(headers, rows, numbers=(5,)),
        "Why these verdicts:",
        _reasons(lines, verdicts),
    )


def _lines(selection: Selection, arm: Arm) -> list[Line]:
    """Return a line for each published accuracy, and one of the suite's metric where none is published."""
    figures = [figure for figure in arm.published if figure.statistic is not Statistic.COMPUTED]
    if not any(figure.metric == selection.suite.metric for figure in figures):
        return [
            Line(arm=arm, metric=selection.suite.metric, published=None),
            *(Line(arm=arm, metric=figure.metric, published=figure) for figure in figures),
        ]
    return [Line(arm=arm, metric=figure.metric, published=figure) for figure in figures]


def _verdicts(selection: Selection, lines: list[Line]) -> list[Verdict]:
    """Judge the first figure of each arm as one family; further figures of an arm speak of the same runs."""
    cases = [_case(selection, line) for line in lines]
    first = [i for i, line in enumerate(lines) if i == 0 or lines[i - 1].arm is not line.arm]
    others = [i for i in range(len(lines)) if i not in first]
    found: dict[int, Verdict] = {}
    for family in (first, others):
        found |= zip(family, judge_family([cases[i] for i in family]), strict=True)
    return [found[i] for i in range(len(lines))]


def _case(selection: Selection, line: Line) -> Case:
    results = selection.trained.get(line.arm.id, ())
    measured = [figure for result in results if (figure := figure_of(result, line.metric))]
    differences = next(
        (found for result in results if (found := differences_of(selection, line.arm, result))), ()
    )
    return Case(
        published=line.published,
        measured=measured,
        differences=(*differences, *(line.published.unlike if line.published else ())),
        diverged=len(results) - len(measured),
        pool=f"{selection.suite.data_of(line.arm)} {line.metric}",
    )


def _cells(selection: Selection, line: Line, verdict: Verdict) -> tuple[str, ...]:
    values = [found.value for found in figures_of(selection, line.arm, line.metric).values()]
    runs = selection.trained.get(line.arm.id, ())
    lost = len(runs) - len(values)
    return (
        line.arm.label,
        NAMES.get(line.metric, line.metric),
        said_of_figure(line.published),
        over_seeds(values).shown(100.0) if values else ("diverged" if lost else NOT_RUN),
        shown(verdict.value, line.published) if line.published and verdict.value is not None else NONE,
        f"{len(values)}" + (f" + {lost} diverged" if lost else ""),
        verdict.label,
    )


def said_of_figure(published: Published | None) -> str:
    """Return a published figure with what it summarises: `6.61 (mean of 5)`; `-` for none."""
    if published is None:
        return NONE
    deviation = f" ± {100 * published.std:.{published.decimals}f}" if published.std else ""
    return f"{shown(published.value, published)}{deviation} ({said_of_theirs(published)})"


def _reasons(lines: list[Line], verdicts: list[Verdict]) -> str:
    """One line a reason: what several arms share is said once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for line, verdict in zip(lines, verdicts, strict=True):
        labels = grouped.setdefault((verdict.label, verdict.reason), [])
        labels += [] if line.arm.label in labels else [line.arm.label]
    return bullets(
        f"{', '.join(labels)}: **{label}**: {reason}." for (label, reason), labels in grouped.items()
    )


def _caption(selection: Selection) -> str:
    reduced = limits(selection)
    lines = [f"**{reduced}**"] if reduced else []
    lines.append(
        "One line for each published figure. The interval is of the mean, from seed to seed (Student's t), on the same test "
        "samples. Errors are those of the last epoch, every test sample the same."
    )
    return "\n".join(lines)
