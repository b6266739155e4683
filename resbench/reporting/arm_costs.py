"""What each arm costs, counted beside published, and how fast it is where it was timed."""

from resbench.reporting.arm_figures import figure_of
from resbench.reporting.figures import NONE, NOT_RUN, timing
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection
from resbench.specs import Arm
from resbench.statistics.judging import Case, judge_family
from resbench.statistics.verdicts import Outcome, Verdict
from resbench.units import mebibytes


def arm_costs(selection: Selection) -> str:
    """Return the table of parameters and operations, counted beside published; empty where nothing was counted."""
    headers = (
        "Arm",
        "Parameters, million: published",
        "counted",
        "Multiply-accumulates, 1e9: published",
        "counted",
        "Verdict",
    )
    rows = [_cost_cells(selection, arm) for arm in selection.arms]
    if all(row[2] == row[4] == NOT_RUN for row in rows):
        return ""
    note = (
        "Counted for one picture: multiply-accumulates of convolutions and linear layers, no bias. A published figure is "
        "reproduced where ours rounds to it."
    )
    wrong = [verdict for arm in selection.arms for verdict in _cost_reasons(selection, arm)]
    return blocks(note, table(headers, rows, numbers=(1, 2, 3, 4)), bullets(wrong))


def _cost_cells(selection: Selection, arm: Arm) -> tuple[str, ...]:
    cells = []
    outcomes: list[str] = []
    for metric in ("parameters", "macs"):
        published, ours = arm.figure(metric), _counted(selection, arm, metric)
        cells.append(published.printed if published else NONE)
        cells.append(NOT_RUN if ours is None else _plain(ours, metric))
        if published and ours is not None:
            outcomes.append(f"{metric}: {_cost_verdict(selection, arm, metric).label}")
    return (arm.label, *cells, "; ".join(outcomes) or NONE)


def _plain(value: float, metric: str) -> str:
    return f"{value / 1e6:.6f}" if metric == "parameters" else f"{value / 1e9:.6f}"


def _counted(selection: Selection, arm: Arm, metric: str) -> float | None:
    for result in (selection.profiled.get(arm.id), *selection.trained.get(arm.id, ())):
        found = figure_of(result, metric) if result else None
        if found is not None:
            return found.value
    return None


def _cost_verdict(selection: Selection, arm: Arm, metric: str) -> Verdict:
    results = [selection.profiled.get(arm.id), *selection.trained.get(arm.id, ())]
    measured = [found for result in results if result and (found := figure_of(result, metric))]
    return judge_family([Case(published=arm.figure(metric), measured=measured[:1])])[0]


def _cost_reasons(selection: Selection, arm: Arm) -> list[str]:
    lines = []
    for metric in ("parameters", "macs"):
        published = arm.figure(metric)
        if published is None or _counted(selection, arm, metric) is None:
            continue
        verdict = _cost_verdict(selection, arm, metric)
        if verdict.outcome is not Outcome.REPRODUCED:
            lines.append(f"{arm.label}, {metric}: {verdict.reason} ({published.protocol}).")
    return [*lines, *_file_sizes(selection, arm)]


def _file_sizes(selection: Selection, arm: Arm) -> list[str]:
    """Say what the published file of an arm's weights holds beside its parameters: no count of ours is like it."""
    published, parameters = arm.figure("file_size"), _counted(selection, arm, "parameters")
    if published is None or parameters is None:
        return []
    said = (
        f"{arm.label}: its file of weights is published with {published.printed} ({published.protocol}); the parameters, of 4 "
        f"bytes each, are {mebibytes(4 * parameters)} of them, statistics of batch norm and the file's own frame the rest."
    )
    return [said]


def arm_timings(selection: Selection) -> str:
    """Return the table of latencies and throughputs; empty where nothing was timed."""
    headers = ("Arm", "Batch", "Precision", "Backend", "Latency, ms", "Throughput, images/s")
    note = (
        "Brackets are 95 % intervals of the median; n is how many calls, or rounds of calls, stand behind it. What names its "
        "backend was timed in fresh processes, and its output held against eager PyTorch's first: the notes say how near it was."
    )
    rows = [_timing_cells(selection, arm) for arm in selection.arms]
    return blocks(note, table(headers, rows, numbers=(1,)))


def _timing_cells(selection: Selection, arm: Arm) -> tuple[str, ...]:
    result, profiling = selection.profiled.get(arm.id), selection.suite.profiling_of(arm)
    latency, rate = (result.find(name) if result else None for name in ("latency", "throughput"))
    lacking = NOT_RUN if result is None else "not measured"
    return (
        arm.label,
        str(profiling.batch_size) if profiling else NONE,
        str(arm.precision),
        (profiling.backend if profiling else "") or "eager, in the process that asks",
        *(
            lacking if found is None else timing(found, scale)
            for found, scale in ((latency, 1000.0), (rate, 1.0))
        ),
    )
