"""How several cases are shown: what differs between them, then one table with their ratios."""

from collections.abc import Iterator, Mapping, Sequence

from resbench.cli.differing_views import differing_line
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.timing_views import (
    difference,
    environment_lines,
    finding_as_json,
    scaled,
    surroundings_as_json,
    timing_notes,
)
from resbench.reporting.differing import difference_rows
from resbench.results import Difference, Environment, differences, plain
from resbench.trial.case import case_differences, labels
from resbench.trial.findings import Finding
from resbench.trial.noise import Floor
from resbench.trial.records import Record as Raw
from resbench.units import percent, with_interval


def show_comparison(
    findings: Sequence[Finding],
    raw: Raw,
    environment: Environment,
    floor: Floor | None,
    notes: Sequence[str],
    output: Format,
    *,
    own: Sequence[Environment] = (),
    more: Mapping[str, object] | None = None,
) -> None:
    """Print what differs between several cases, one table with ratios to the first, then what a reader must know.

    Args:
        findings: one a case.
        raw: the record behind them.
        environment: that all cases share.
        floor: of this machine's noise, where it is known.
        notes: on all cases.
        output: how it is printed.
        own: each case's own environment; default: the one they share.
        more: further keys of the JSON.
    """
    own = own or [environment] * len(findings)
    if output is Format.JSON:
        print_json({**comparison_as_json(findings, raw, environment, floor, notes, own), **(more or {})})
        return
    if output is Format.CSV:
        print_records([_base(finding, floor) for finding in findings], output)
        return
    title = (
        f"{len(findings)} cases, rounds interleaved in random order, {raw.processes} fresh processes of each"
    )
    bullet = "* " if output is Format.MARKDOWN else ""
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    names = labels(tuple(finding.case for finding in findings))
    for line in _differing_lines(findings, names, own):
        print_line(f"{bullet}{line}")
    print_line("")
    rows = [_row(name, finding, floor) for name, finding in zip(names, findings, strict=True)]
    rows[0]["speed"] = "1" if findings[0].measurements else ""
    print_records(_without_empty_columns(rows), output, title=title)
    said = [
        note for name, finding in zip(names, findings, strict=True) for note in timing_notes(finding, name)
    ]
    lines = (*environment_lines(environment), *_reading(findings[0], names[0], floor), *notes, *said)
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in lines))


def comparison_as_json(
    findings: Sequence[Finding],
    raw: Raw,
    environment: Environment,
    floor: Floor | None,
    notes: Sequence[str],
    own: Sequence[Environment],
) -> dict[str, object]:
    """Return several cases in base units, with the samples by process and what differs from the first case."""
    return {
        "cases": [
            {
                **plain(finding.case),
                "input": "x".join(map(str, finding.case.input_CHW)),
                **finding_as_json(finding, floor),
                "samples_by_process": arm.latencies(),
                "notes": list(finding.notes),
                "settings": dict(its.settings),
                "fingerprint": dict(its.model),
                "differs_from_first": difference_rows(_differences(findings[0], finding, own[0], its)),
            }
            for finding, arm, its in zip(findings, raw.arms, own, strict=True)
        ],
        "noise_floor": floor.floor if floor else None,
        "processes": raw.processes,
        "sampling_seconds": raw.sampling_s,
        "blocks": len(raw.surroundings),
        "blocks_measured_again": raw.again,
        "surroundings": surroundings_as_json(raw.surroundings),
        "environment": plain(environment),
        "notes": list(notes),
    }


def _differences(
    first: Finding, other: Finding, one: Environment, another: Environment
) -> tuple[Difference, ...]:
    return (*case_differences(first.case, other.case), *differences(one, another))


def _differing_lines(
    findings: Sequence[Finding], names: Sequence[str], own: Sequence[Environment]
) -> Iterator[str]:
    """Yield, for each case but the first, the fields in which it differs from that."""
    for finding, name, its in zip(findings[1:], names[1:], own[1:], strict=True):
        yield differing_line(names[0], name, _differences(findings[0], finding, own[0], its))


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
        at = f" at batch {finding.case.batch_size}" if finding.failure.kind == "oom" else ""
        state = f"{finding.failure.kind}{at}: {finding.failure.message}"
    elif finding.criterion:
        state = "less precise than asked for"
    latency = finding.find("latency")
    return {
        "case": name,
        "n": latency.n if latency else None,
        "latency_ms": texts["latency"],
        "images/s": texts["throughput"],
        "device_ms": texts["device_time"],
        "compile_s": texts["cold_compile"],
        "speed": with_interval(*speed) if speed else "",
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
        "allocator": case.allocator,
    }
    for metric in ("latency", "throughput", "device_time", "cold_load", "cold_compile", "cold_first_call"):
        found = finding.find(metric)
        columns |= {
            f"{metric}_n": found.n if found else 0,
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
        "with a call. Each is the median with its 95 % interval over fresh processes; n single calls make up the latency."
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
