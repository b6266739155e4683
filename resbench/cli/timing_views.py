"""How measured times are shown: the lines of one case, the table of several with their ratios."""

from collections.abc import Iterator, Sequence

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.metrics.latency.intervals import quartiles
from resbench.results import Environment, Measurement, plain
from resbench.trial.case import labels
from resbench.trial.findings import Finding
from resbench.trial.noise import Floor
from resbench.trial.records import Record as Raw
from resbench.units import percent, with_interval

TITLES = {
    "device_time": "device time",
    "step_forward": "forward of a step",
    "step_backward": "backward of a step",
    "step_optimizer": "optimiser of a step",
    "cold_load": "cold start: load",
    "cold_prepare": "cold start: prepare",
    "cold_compile": "cold start: compile",
    "cold_first_call": "cold start: first call",
}
"""Metrics of a case besides latency and throughput, as a person reads them; all are times."""


def timing_lines(measurements: Sequence[Measurement]) -> Iterator[Record]:
    """Yield a line of the table of one case for each time besides latency and throughput."""
    for found in measurements:
        if title := TITLES.get(found.metric):
            value = f"{scaled(found, 1e3)} ms"
            yield {
                "figure": title,
                "value": value,
                "n": found.n,
                "how": ("" if found.low is None else "median [95 % interval]; ") + found.method,
            }


def scaled(found: Measurement, scale: float) -> str:
    """Return a value with its interval in a display unit, with no more digits than the interval supports."""
    low, high = (None if end is None else scale * end for end in (found.low, found.high))
    return with_interval(scale * found.value, low, high)


def finding_as_json(finding: Finding, floor: Floor | None) -> dict[str, object]:
    """Return what was measured of one case, in base units, under keys that stay."""
    return {
        **dict.fromkeys(("device_time",)),
        **{found.metric: distribution(found) for found in finding.measurements},
        "percentiles": {f"p{100 * found.share:g}": found.value for found in finding.percentiles},
        "bound": str(finding.diagnosis.bound) if finding.diagnosis else None,
        "evidence": finding.diagnosis.evidence if finding.diagnosis else None,
        "speed": dict(zip(("ratio", "low", "high"), finding.speed, strict=True)) if finding.speed else None,
        "difference": difference(finding, floor) or None,
        "failure": finding.failure._asdict() if finding.failure else None,
        "criterion_not_met": finding.criterion or None,
        "disturbed_share": finding.disturbed,
    }


def distribution(found: Measurement) -> dict[str, object]:
    """Return a median with its interval and quartiles."""
    first, third = quartiles(found.samples)
    unit = "images/s" if found.metric == "throughput" else str(found.unit)
    return {
        "median": found.value,
        "low": found.low,
        "high": found.high,
        "first_quartile": first,
        "third_quartile": third,
        "n": found.n,
        "unit": unit,
        "method": found.method,
    }


def difference(finding: Finding, floor: Floor | None) -> str:
    """Say whether a case differs from the first one: faster, slower, or not shown to; empty where there is no ratio."""
    speed = finding.speed
    if speed is None:
        return ""
    if speed.low <= 1 <= speed.high:
        return "none shown"
    if floor is not None and floor.holds(speed.value):
        return "within noise"
    return "faster" if speed.value > 1 else "slower"


def timing_notes(finding: Finding, label: str = "") -> Iterator[str]:
    """Yield the sentences that belong to one case."""
    head = f"{label}: " if label else ""
    if finding.diagnosis is not None:
        yield f"{head}{finding.diagnosis.bound}: {finding.diagnosis.evidence}."
    if len(finding.percentiles) > 1:
        each = ", ".join(
            f"p{100 * found.share:g} {1e3 * found.value:.3g} ms" for found in finding.percentiles
        )
        yield f"{head}Latency of single calls, as far as their number supports it: {each}."
    if finding.criterion:
        yield f"{head}Not as precise as asked for: {finding.criterion}."
    if finding.disturbed:
        yield f"{head}Other programs ran beside {percent(finding.disturbed, 0)} of the rounds, also when measured again."
    yield from (f"{head}{note}" for note in finding.notes)


def show_comparison(
    findings: Sequence[Finding],
    raw: Raw,
    environment: Environment,
    floor: Floor | None,
    notes: Sequence[str],
    output: Format,
) -> None:
    """Print several cases as one table with ratios to the first, then what a reader must know."""
    if output is Format.JSON:
        print_json(comparison_as_json(findings, raw, environment, floor, notes))
        return
    if output is Format.CSV:
        print_records([_base(finding, floor) for finding in findings], output)
        return
    title = (
        f"{len(findings)} cases, rounds interleaved in random order, {raw.processes} fresh processes of each"
    )
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    names = labels(tuple(finding.case for finding in findings))
    rows = [_row(name, finding, floor) for name, finding in zip(names, findings, strict=True)]
    print_records(_without_empty_columns(rows), output, title=title)
    said = [
        note for name, finding in zip(names, findings, strict=True) for note in timing_notes(finding, name)
    ]
    bullet = "* " if output is Format.MARKDOWN else ""
    lines = (*environment_lines(environment), *_reading(findings[0], names[0], floor), *notes, *said)
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in lines))


def comparison_as_json(
    findings: Sequence[Finding], raw: Raw, environment: Environment, floor: Floor | None, notes: Sequence[str]
) -> dict[str, object]:
    """Return several cases in base units, with the samples by process."""
    return {
        "cases": [
            {
                **plain(finding.case),
                "input": "x".join(map(str, finding.case.input_CHW)),
                **finding_as_json(finding, floor),
                "samples_by_process": arm.latencies(),
                "notes": list(finding.notes),
            }
            for finding, arm in zip(findings, raw.arms, strict=True)
        ],
        "noise_floor": floor.floor if floor else None,
        "processes": raw.processes,
        "sampling_seconds": raw.sampling_s,
        "blocks": len(raw.surroundings),
        "blocks_measured_again": raw.again,
        "environment": plain(environment),
        "notes": list(notes),
    }


def environment_lines(environment: Environment) -> Iterator[str]:
    """Yield the machine, the software and the settings, a line each."""
    commit = {"commit": environment.commit + (", changed since" if environment.changed else "")}
    for title, facts in (
        ("Machine", environment.machine),
        ("Software", {**environment.software, **(commit if environment.commit else {})}),
        ("Settings", environment.settings),
    ):
        yield f"{title}: " + "; ".join(f"{name} {value}" for name, value in facts.items()) + "."


def _row(name: str, finding: Finding, floor: Floor | None) -> dict[str, object]:
    texts = {
        metric: scaled(found, scale) if (found := finding.find(metric)) else ""
        for metric, scale in (
            ("latency", 1e3),
            ("throughput", 1.0),
            ("device_time", 1e3),
            ("cold_compile", 1.0),
        )
    }
    speed = finding.speed
    state = ""
    if finding.failure is not None:
        state = f"{finding.failure.kind}: {finding.failure.message}"
    elif finding.criterion:
        state = "less precise than asked for"
    return {
        "case": name,
        "latency_ms": texts["latency"],
        "images/s": texts["throughput"],
        "device_ms": texts["device_time"],
        "compile_s": texts["cold_compile"],
        "speed": with_interval(*speed) if speed else ("1" if finding.measurements else ""),
        "difference": difference(finding, floor),
        "bound": str(finding.diagnosis.bound) if finding.diagnosis else "",
        "state": state,
    }


def _without_empty_columns(rows: Sequence[dict[str, object]]) -> list[Record]:
    shown = [name for name in rows[0] if any(row[name] for row in rows)]
    return [{name: row[name] for name in shown} for row in rows]


def _base(finding: Finding, floor: Floor | None) -> Record:
    case, speed = finding.case, finding.speed
    columns: dict[str, object] = {
        "model": case.model,
        "backend": case.backend,
        "precision": case.precision,
        "whole_model": case.whole_model,
        "memory_format": case.memory_format,
        "mode": case.mode,
        "batch_size": case.batch_size,
        "input": "x".join(map(str, case.input_CHW)),
        "device": case.device,
        "threads": case.threads,
    }
    for metric in ("latency", "throughput", "device_time", "cold_load", "cold_compile", "cold_first_call"):
        found = finding.find(metric)
        columns |= {
            metric: found.value if found else None,
            f"{metric}_low": found.low if found else None,
            f"{metric}_high": found.high if found else None,
        }
    columns |= {
        f"speed{end}": None if speed is None else value
        for end, value in zip(("", "_low", "_high"), speed or (0, 0, 0), strict=True)
    }
    return {
        **columns,
        "difference": difference(finding, floor),
        "bound": str(finding.diagnosis.bound) if finding.diagnosis else "",
        "failure": finding.failure.kind if finding.failure else "",
        "criterion_not_met": finding.criterion,
    }


def _reading(first: Finding, name: str, floor: Floor | None) -> Iterator[str]:
    yield (
        "Latency: one synchronised call, end to end. Throughput: calls back to back. Device time: how long the device is busy "
        "with a call. Each is the median with its 95 % interval over fresh processes."
    )
    yield f"Speed: how many times as fast as {name}, per image, from rounds side by side; 95 % interval."
    threads = f"{first.case.threads} thread{'s' * (first.case.threads > 1)}"
    if floor is None:
        yield (
            f"The noise floor of this machine with {threads} was not measured: small ratios may be noise. "
            "'resbench noise' measures it."
        )
    else:
        yield f"Ratios within +-{percent(floor.floor)} are noise here: measured with {threads} on {floor.measured}."
