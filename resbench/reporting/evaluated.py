"""Weights of others, tested: published and measured figures, each compared with the test it was read from."""

from typing import Any, NamedTuple

from resbench.reporting.arm_figures import NAMES
from resbench.reporting.figures import NONE, NOT_RUN, share
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection, limits
from resbench.results import Measurement, Result, Statistic, plain
from resbench.specs import Arm, Published, Scale
from resbench.statistics.verdicts import ONE_SEED, Verdict, judge
from resbench.units import duration


class _Line(NamedTuple):
    """A published figure of an arm, our figure of the same test, and what a comparison of the two says."""

    arm: Arm
    published: Published
    ours: Measurement | None
    verdict: Verdict


def tested_table(selection: Selection) -> str:
    """Return the table of every published accuracy beside ours, and the reasons for the verdicts."""
    lines = [
        _line(selection, arm, figure)
        for arm in selection.arms
        for figure in arm.published
        if figure.statistic is not Statistic.COMPUTED
    ]
    headers = ("Arm", "Test", "Figure", "Published, %", "Ours, % [95 %]", "Test pictures", "Verdict")
    reduced = limits(selection)
    caption = (
        "Each published figure stands beside ours of the same test: views, sizes and crop as its source has them. Brackets "
        "are 95 % intervals for the choice of test pictures alone."
    )
    return blocks(
        f"**{reduced}**" if reduced else "",
        caption,
        table(headers, [_cells(line) for line in lines], numbers=(5,)),
        "Why these verdicts:",
        _reasons(lines),
    )


def _line(selection: Selection, arm: Arm, figure: Published) -> _Line:
    result = _same_test(selection, arm, figure)
    ours = _figure(result, figure.metric) if result else None
    differences = _differences(selection, figure, result)
    verdict = judge(figure, ours, differences=differences, test_samples=ours.n if ours else None)
    return _Line(arm, figure, ours, verdict)


def _same_test(selection: Selection, arm: Arm, figure: Published) -> Result | None:
    """Return the result of the test that a figure was read from; of one that says nothing of its test, that of one crop."""
    results = selection.tested.get(arm.id, ())
    asked = plain(figure.tested)
    same = [result for result in results if result.experiment["evaluation"]["tested"] == asked]
    if figure.tested is None:
        same = [result for result in results if _views(result) == "center"]
    return same[-1] if same else None


def _views(result: Result) -> str:
    return str(result.experiment["evaluation"]["tested"]["views"])


def _differences(selection: Selection, figure: Published, result: Result | None) -> tuple[str, ...]:
    found = list(figure.unlike)
    if figure.tested is None:
        found.append("views of the published test are not known")
    if result is None:
        return tuple(found)
    data, precision = result.experiment["data"], result.experiment["precision"]
    if selection.scale is not Scale.FULL:
        found.append(f"scale {selection.amount} (published: {Scale.FULL})")
    if not data["official"]:
        found.append(f"data {data['label']} (not the published set)")
    if precision != "fp32":
        found.append(f"precision {precision} (published: fp32)")
    return tuple(found)


def _figure(result: Result, metric: str) -> Measurement | None:
    """Return a result's figure; an error is what the accuracy leaves."""
    if not metric.endswith("_error"):
        return result.find(metric)
    found = result.find(f"{metric.removesuffix('_error')}_accuracy")
    if found is None:
        return None
    low, high = (None if end is None else 1 - end for end in (found.high, found.low))
    return Measurement(
        metric=metric, value=1 - found.value, unit=found.unit, statistic=found.statistic, n=found.n, low=low,
        high=high, method=found.method,
    )  # fmt: skip


def _cells(line: _Line) -> tuple[str, ...]:
    figure = line.published
    return (
        line.arm.label,
        _said(plain(figure.tested)) if figure.tested else "not stated",
        NAMES.get(figure.metric, figure.metric),
        figure.printed.removesuffix("%"),
        share(line.ours) if line.ours else NOT_RUN,
        f"{line.ours.n:,}" if line.ours else NONE,
        line.verdict.label,
    )


def _said(tested: dict[str, Any]) -> str:
    """Return which views a test sees: `ten crops of 224 of 256`."""
    sides = ", ".join(map(str, tested["sides"]))
    if tested["crop"] is None:
        return f"whole pictures of {sides}"
    views = {"center": "one crop", "ten_crop": "ten crops"}[tested["views"]]
    return f"{views} of {tested['crop']} of {sides}"


def _reasons(lines: list[_Line]) -> str:
    """One line a reason: what several arms share is said once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        # No spread from training to training is asked about: both figures are of the same weights.
        reason = line.verdict.reason.removesuffix(f"; {ONE_SEED}")
        labels = grouped.setdefault((line.verdict.label, reason), [])
        labels += [] if line.arm.label in labels else [line.arm.label]
    return bullets(
        f"{', '.join(labels)}: **{label}**: {reason}." for (label, reason), labels in grouped.items()
    )


def every_test(selection: Selection) -> str:
    """Return a line for each test, with what nothing was published of, too; empty where there is none."""
    rows = [
        (
            arm.label,
            _said(result.experiment["evaluation"]["tested"]),
            *(share(found) if (found := result.find(metric)) else NONE for metric in _METRICS),
            f"{top1.n:,}" if (top1 := result.find("top1_accuracy")) else NONE,
            duration(result.seconds),
        )
        for arm in selection.arms
        for result in selection.tested.get(arm.id, ())
    ]
    headers = ("Arm", "Test", *_METRICS.values(), "Test pictures", "Time")
    return table(headers, rows, numbers=(5,)) if rows else ""


_METRICS = {
    "top1_accuracy": "Top-1 accuracy, %",
    "top5_accuracy": "Top-5 accuracy, %",
    "mean_class_accuracy": "Mean per-class accuracy, %",
}


def tests_guide() -> str:
    """Return the explanations of a report of tests."""
    return bullets(
        (
            "**Published**: what the sources named at the end print, of weights that others trained.",
            (
                "**reproduced**: the 95 % interval of the difference holds zero. **better, worse**: it lies to one side of zero. "
                "The interval is that of two sets of pictures: the same pictures differ by less, so it is on the wide side."
            ),
            "**not comparable**: our test, or the weights, are not those of the figure; brackets say what differs.",
            "**one crop of 224 of 256**: the shorter side is scaled to 256 pixels, and a square of 224 is cut out.",
        )
    )
