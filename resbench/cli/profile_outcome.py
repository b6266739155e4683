"""How the outcome of `resbench profile` is put together: of one case with its costs and extras, of several in one table."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from resbench.cli.output import Format
from resbench.cli.profile_energy import energy_section
from resbench.cli.profile_extras import CaseRoof, inner_sections, roof_section, roofs_section
from resbench.cli.profile_memory import memory_section
from resbench.cli.profile_options import Effort, Extras
from resbench.cli.sections import Say, Section
from resbench.errors import ResbenchError
from resbench.results import Environment
from resbench.trial.findings import Finding
from resbench.trial.noise import Floor
from resbench.trial.provenance import common_to, environment_of
from resbench.trial.records import Record

Show = Callable[[Format], None]
_REASONS = 3
"""So many are named."""
_COMPILED = "Compile time is that of the first process of each case, with an empty cache of Inductor; later ones find its code there."


class Measured(NamedTuple):
    """All that is known once cases were measured.

    Attributes:
        found: one a case.
        record: behind them.
        roofs: over each case.
        environment: of this process.
        own: of each case.
        floor: of this machine's noise, where it is known.
        notes: of the search for batches.
        beside: the comparison with an earlier measurement.
    """

    found: Sequence[Finding]
    record: Record
    roofs: Sequence[CaseRoof]
    environment: Environment
    own: Sequence[Environment]
    floor: Floor | None
    notes: Sequence[str]
    beside: Sequence[Section]


def settings_of(record: Record) -> dict[str, str]:
    """Return how the measuring processes ran; the first process says so itself."""
    case = record.arms[0].case
    settings = {"mode": "eval, inference_mode" if case.mode == "inference" else "training step"}
    settings |= record.arms[0].opened.get("settings", {}) if len(record.arms) == 1 else {}
    if record.ready:
        settings["threads"] = str(record.ready["threads"])
        settings["cores"] = ", ".join(map(str, record.ready["cores"])) or "not pinned"
        if record.ready["bound"]:
            settings["cores"] += " (each OpenMP thread stays on one)"
    settings["processes"] = (
        f"{record.processes} of each case, one after the other; only one measures, all others sleep"
    )
    return settings


def _of_all(record: Record) -> list[str]:
    """Return what a reader must know of the whole measurement."""
    compiled = any(arm.case.backend.startswith("compile") for arm in record.arms)
    said = [_COMPILED] if compiled else []
    if record.again:
        blocks = f"Of {len(record.surroundings)} blocks, those that were disturbed were measured again"
        said.append(f"{blocks}, {record.again} times in all.")
    reasons = list(dict.fromkeys(reason for around in record.surroundings for reason in around.reasons))
    if reasons:
        more = ", ..." * (len(reasons) > _REASONS)
        said.append(f"What disturbed blocks that were kept: {', '.join(reasons[:_REASONS])}{more}.")
    return said


def one(measured: Measured, effort: Effort, extras: Extras, say: Say) -> Show:
    """Measure what else is asked of the only case, and return what prints all of it.

    Raises:
        ResbenchError: the case did not fit into memory, or failed.
    """
    from resbench.cli.profile_views import show
    from resbench.cli.timing_views import timing_notes
    from resbench.specs import Experiment, Precision, Profiling, Scale
    from resbench.trial.profiling import profile as measure_costs

    (finding,), record = measured.found, measured.record
    case = finding.case
    if finding.failure is not None:
        what = f"out of memory at batch {case.batch_size}" if finding.failure.kind == "oom" else "failed"
        raise ResbenchError(f"{case.model}: {what}: {finding.failure.message}")
    profiling = Profiling(batch_size=case.batch_size, num_classes=case.num_classes, input_CHW=case.input_CHW)
    experiment = Experiment(
        model=case.model,
        device=case.device,
        precision=Precision(case.precision),
        seed=case.seed,
        scale=Scale.SHORT if effort.quick else Scale.FULL,
        profiling=profiling,
    )
    said = [*timing_notes(finding), *measured.notes, *_of_all(record)]
    if case.backend != "eager" or case.mode != "inference":
        said.append("The peak memory in the first table is that of eager inference.")
    result = measure_costs(
        experiment, say, weights=case.weights, timing=lambda: (list(finding.measurements), said)
    )
    here = {**result.environment.settings, **settings_of(record)}
    environment = environment_of(replace(result.environment, settings=here), record.arms[0])
    sections = [*_sections(finding, extras, measured.roofs[0], say), *measured.beside]
    more_found = [found for section in sections for found in section.measurements]
    result = replace(result, environment=environment, measurements=(*result.measurements, *more_found))
    if case.backend == "eager":
        sections.insert(0, memory_section(case, result.find("peak_memory"), say))
    more = _beside(finding, record)

    def shown(output: Format) -> None:
        for section in sections:
            more.update(section.as_json)
        show(result, profiling, output, more)
        if output in (Format.TABLE, Format.MARKDOWN):
            for section in sections:
                section.show(output)

    return shown


def _beside(finding: Finding, record: Record) -> dict[str, object]:
    """Return what the JSON of a profile has beside the costs: how it was run, and each process's samples."""
    from resbench.cli.timing_views import finding_as_json, surroundings_as_json

    names = ("backend", "whole_model", "memory_format", "mode", "threads", "allocator")
    asked = {name: getattr(finding.case, name) for name in names}
    asked["weights"] = finding.case.weights
    clocks = finding_as_json(finding, None)
    return {
        **asked,
        **{name: value for name, value in clocks.items() if name not in ("latency", "throughput")},
        "processes": record.processes,
        "sampling_seconds": record.sampling_s,
        "blocks": len(record.surroundings),
        "blocks_measured_again": record.again,
        "surroundings": surroundings_as_json(record.surroundings),
        "samples_by_process": record.arms[0].latencies(),
    }


def _sections(finding: Finding, extras: Extras, roof: CaseRoof, say: Say) -> list[Section]:
    sections = []
    if extras.wants_roof and roof.ceilings is not None:
        sections.append(roof_section(finding, roof.ceilings, earlier=roof.earlier))
    if extras.energy:
        sections.append(energy_section(finding.case, say))
    return [*sections, *inner_sections(finding.case, roof.ceilings, extras, say)]


def several(measured: Measured, extras: Extras) -> Show:
    """Return what prints several cases in one table with their ratios."""
    from resbench.cli.comparison_views import show_comparison

    record, own = measured.record, measured.own
    opened = [its for its, arm in zip(own, record.arms, strict=True) if arm.opened]
    shared = common_to(measured.environment, opened or own)
    sections = [*measured.beside]
    if extras.wants_roof:
        sections.insert(0, roofs_section(measured.found, measured.roofs))
    more = {name: value for section in sections for name, value in section.as_json.items()}
    notes = [*measured.notes, *_of_all(record)]

    def shown(output: Format) -> None:
        show_comparison(measured.found, record, shared, measured.floor, notes, output, own=own, more=more)
        if output in (Format.TABLE, Format.MARKDOWN):
            for section in sections:
                section.show(output)

    return shown
