"""The suite's table, published beside measured, with a verdict on each figure and the reason for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from resbench.reporting.figures import NONE, NOT_RUN, share, test_samples, timing
from resbench.reporting.markdown import blocks, bullets, escaped, table
from resbench.reporting.selection import Selection, limits
from resbench.results import Ending, Measurement, Result
from resbench.specs import Arm, Precision
from resbench.statistics.verdicts import (
    Outcome,
    Verdict,
    judge,
    profiling_differences,
    said_of_input,
    shown,
    training_differences,
)

_BITS = {
    Precision.FP32: "32",
    Precision.TF32: "32 (TF32)",
    Precision.BF16: "16 (bfloat16)",
    Precision.FP16: "16 (float16)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a model and, where it was trained, one seed."""

    arm: Arm
    trained: Result | None
    profiled: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One figure of one row and its verdict; `name` is the table's word for the figure."""

    arm: Arm
    name: str
    measured: Measurement | None
    verdict: Verdict


def rows_of(selection: Selection) -> Iterator[Row]:
    """Yield a row for each seed of each arm, and one for an arm that was not trained."""
    for arm in selection.arms:
        profiled = selection.profiled.get(arm.id)
        for trained in selection.trained.get(arm.id, (None,)):
            yield Row(arm=arm, trained=trained, profiled=profiled)


def comparison(selection: Selection) -> str:
    """Return the table, its caption and the reasons for its verdicts."""
    convention = selection.suite.flops_convention
    headers = (
        "Architecture",
        "Seed",
        "Data type (bits)",
        "Model size, MiB: published / computed",
        f"GFLOPs ({convention}): published / computed",
        "Latency, ms",
        "Throughput, images/s",
        "Top-1, %: published / measured",
        "Top-5, %: published / measured",
        "Verdict",
    )
    judged = [(row, _judged(row, selection)) for row in rows_of(selection)]
    body = [_cells(row, figures) for row, figures in judged]
    reasons = _reasons([figure for _, figures in judged for figure in figures])
    return blocks(_caption(selection), table(headers, body), "Why these verdicts:", reasons)


def _judged(row: Row, selection: Selection) -> tuple[Judged, ...]:
    suite = selection.suite.as_asked_of(row.arm)
    costs = profiling_differences(row.profiled.experiment, suite) if row.profiled else ()
    training = training_differences(row.trained.experiment, suite) if row.trained else ()
    plan = (
        ("size", "size", row.profiled, None, costs),
        ("GFLOPs", "flops", row.profiled, suite.flops_convention, costs),
        ("top-1", "top1_published", row.trained, None, training),
        ("top-5", "top5_published", row.trained, None, training),
    )
    found = []
    for name, metric, result, method, differences in plan:
        measured = result.find(metric, method) if result else None
        samples = test_samples(result) if result else None
        verdict = judge(row.arm.figure(metric), measured, differences=differences, test_samples=samples)
        found.append(Judged(arm=row.arm, name=name, measured=measured, verdict=verdict))
    return tuple(found)


def _cells(row: Row, figures: tuple[Judged, ...]) -> tuple[str, ...]:
    size, flops, top1, top5 = figures
    profiled = row.profiled
    result = row.trained or profiled
    return (
        row.arm.label,
        str(row.trained.experiment["seed"]) if row.trained else NONE,
        _BITS[Precision(result.experiment["precision"])] if result else NONE,
        _computed(row.arm, "size", size.measured),
        _computed(row.arm, "flops", flops.measured),
        timing(profiled.find("latency"), 1000.0) if profiled else NOT_RUN,
        timing(profiled.find("throughput")) if profiled else NOT_RUN,
        _accuracy(row, "top1_published", top1.measured),
        _accuracy(row, "top5_published", top5.measured),
        _verdicts(figures),
    )


def _computed(arm: Arm, metric: str, measured: Measurement | None) -> str:
    published = arm.figure(metric)
    if published is None:
        return f"{NONE} / {NONE if measured else NOT_RUN}"
    ours = shown(measured.value, published) if measured else NOT_RUN
    return f"{shown(published.value, published)} / {ours}"


def _accuracy(row: Row, metric: str, measured: Measurement | None) -> str:
    published = row.arm.figure(metric)
    theirs = shown(published.value, published) if published else NONE
    samples = test_samples(row.trained) if row.trained else None
    if row.trained and row.trained.outcome is Ending.DIVERGED:
        return f"{theirs} / diverged"
    return f"{theirs} / {share(measured, samples)}"


def _verdicts(figures: tuple[Judged, ...]) -> str:
    by_outcome: dict[Outcome, list[str]] = {}
    for figure in figures:
        by_outcome.setdefault(figure.verdict.outcome, []).append(figure.name)
    return "; ".join(f"{', '.join(names)}: {outcome}" for outcome, names in by_outcome.items())


def _reasons(figures: list[Judged]) -> str:
    """One line a reason: what several models share is said once."""
    grouped: dict[tuple[str, Verdict], list[str]] = {}
    for figure in figures:
        labels = grouped.setdefault((figure.name, figure.verdict), [])
        labels += [] if figure.arm.label in labels else [figure.arm.label]
    shared: dict[tuple[tuple[str, ...], Verdict], list[str]] = {}
    for (name, verdict), labels in grouped.items():
        shared.setdefault((tuple(labels), verdict), []).append(name)
    return bullets(
        f"{', '.join(labels)}, {', '.join(names)}: **{verdict.outcome}**: {verdict.reason}."
        for (labels, verdict), names in shared.items()
    )


def _caption(selection: Selection) -> str:
    reduced = limits(selection)
    lines = [f"**{reduced}**"] if reduced else []
    lines += [
        "Published beside ours, one line for each model and seed. Ranges in brackets are 95 % intervals.",
        "Accuracy is in the reading of the published table: the best test epoch, each epoch the mean of its batches.",
    ]
    if device := _timed_on(selection):
        lines.append(device)
    return "\n".join(lines)


def _timed_on(selection: Selection) -> str:
    profiled = next((found for found in selection.results if found.experiment["profiling"]), None)
    if profiled is None:
        return ""
    profiling = profiled.experiment["profiling"]
    latency = profiled.find("latency")
    clock = f" ({latency.method})" if latency and latency.method else ""
    return (
        f"Latency and throughput were measured on **{escaped(device_name(profiled))}** with {said_of_input(profiling['input_CHW'])} "
        f"pictures in batches of {profiling['batch_size']}, {profiled.experiment['precision']}: the median of n calls"
        f"{clock}. Nothing was published to compare them with."
    )


def device_name(result: Result) -> str:
    """Return the device a result was measured on, as a reader knows it."""
    machine = result.environment.machine
    if result.experiment["device"].startswith("cuda"):
        return machine.get("gpu", result.experiment["device"])
    threads = result.environment.settings.get("threads")
    used = f", {threads} thread{'s' if threads != '1' else ''}" if threads else ""
    return f"{machine.get('cpu', 'an unknown CPU')}{used}"
