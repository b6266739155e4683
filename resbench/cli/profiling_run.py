"""What `resbench profile` does once its options are read: measure, and return how the outcome is shown."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch

from resbench.cli.against_views import against_section
from resbench.cli.output import Format
from resbench.cli.profile_extras import CaseRoof, check_extras, inner_sections, roof_of, roof_section
from resbench.cli.profile_memory import energy_section, fits, memory_section
from resbench.cli.profile_options import Effort, Extras
from resbench.cli.sections import Say, Section
from resbench.environment import capture
from resbench.errors import ResbenchError, UsageError
from resbench.models.backends.compile_cache import fresh_cache
from resbench.results import Environment
from resbench.trial.against import Earlier, check_machine, compare, match, read_earlier
from resbench.trial.case import Case
from resbench.trial.findings import Finding, findings
from resbench.trial.fitting import find_largest_batch
from resbench.trial.input_bound import check_data, measure_input, with_input
from resbench.trial.noise import Floor, find_floor, find_pace_s, noise_folder
from resbench.trial.provenance import environment_of
from resbench.trial.records import Record
from resbench.trial.side_by_side import check_case, measure_side_by_side

Show = Callable[[Format], None]
_COMPILED = "Compile time is that of the first process of each case, with an empty cache of Inductor; later ones find its code there."


def run(cases: Sequence[Case], effort: Effort, extras: Extras, say: Say) -> Show:
    """Measure cases and return what prints them.

    Raises:
        UsageError: an option or a name is not to be had.
        ResbenchError: the only case does not fit into memory, or fails.
    """
    for case in cases:
        check_case(replace(case, batch_size=max(1, case.batch_size)))
    if extras.fits:
        return fits(cases, extras.fits, say)
    check_extras(cases, extras)
    cases, notes = _with_batches(cases, say)
    environment = capture(cases[0].device)
    earlier = _earlier(cases, extras, environment)
    if extras.data:
        check_data(extras.data, cases)
    roofs = [roof_of(case, environment.machine_id, extras, say) for case in cases]
    pace_s = partial(find_pace_s, noise_folder(), environment.machine_id, str(torch.__version__))
    with fresh_cache():  # what was compiled before would hide what compiling takes
        record = measure_side_by_side(cases, effort.plan(cases[0].seed), say, pace_s)
    found = _fed(findings(record, [each.of_case for each in roofs]), extras.data, say)
    floor = find_floor(noise_folder(), environment.machine_id, cases[0].device, cases[0].threads)
    environment = replace(environment, settings={**environment.settings, **_settings(record)})
    own = [environment_of(environment, arm) for arm in record.arms]
    beside = _against(record, own, earlier, extras, floor)
    if len(cases) == 1:
        return _one(found[0], record, effort, (extras, roofs[0]), [*notes, *_of_all(record)], beside, say)
    return _several(found, record, (environment, own), floor, [*notes, *_of_all(record)], beside)


def _fed(found: Sequence[Finding], data: str, say: Say) -> Sequence[Finding]:
    """Put the rate of the input beside each case, where it is asked for; cases of one batch share it."""
    if not data:
        return found
    say("input")
    rates = {finding.case.batch_size: measure_input(data, finding.case) for finding in found}
    return [with_input(finding, rates[finding.case.batch_size]) for finding in found]


def _earlier(cases: Sequence[Case], extras: Extras, environment: Environment) -> dict[int, Earlier]:
    """Return what each case is compared with, by its place; refused before anything is measured."""
    if extras.against is None:
        if extras.across_machines:
            raise UsageError("--across-machines is about --against: name the file of an earlier profile")
        return {}
    earlier = read_earlier(extras.against)
    found = match(cases, earlier)
    if not extras.across_machines:
        check_machine(environment.machine_id, list(found.values()), extras.against)
    return found


def _against(
    record: Record,
    own: Sequence[Environment],
    earlier: dict[int, Earlier],
    extras: Extras,
    floor: Floor | None,
) -> list[Section]:
    if extras.against is None:
        return []
    found = [
        compare(record.arms[place].case, own[place], record.arms[place].latencies(), then)
        for place, then in earlier.items()
        if record.arms[place].rounds
    ]
    return [against_section(found, extras.against, floor)]


def _with_batches(cases: Sequence[Case], say: Say) -> tuple[list[Case], list[str]]:
    """Put the largest batch that fits in place of `auto` (0)."""
    found, notes = [], []
    for case in cases:
        if case.batch_size:
            found.append(case)
            continue
        say(f"searching the largest batch of {case.model}")
        search = find_largest_batch(replace(case, batch_size=1))
        notes.append(f"{case.model}: {search.sentence}")
        if not search.largest:
            raise ResbenchError(f"{case.model}: {search.sentence}")
        found.append(replace(case, batch_size=search.largest))
    return found, notes


def _settings(record: Record) -> dict[str, str]:
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
    if not record.again:
        return said
    blocks = f"Of {len(record.surroundings)} blocks, those that other programs disturbed were measured again"
    return [*said, f"{blocks}, {record.again} times in all."]


def _one(
    finding: Finding,
    record: Record,
    effort: Effort,
    extras: tuple[Extras, CaseRoof],
    notes: list[str],
    beside: Sequence[Section],
    say: Say,
) -> Show:
    from resbench.cli.profile_views import show
    from resbench.cli.timing_views import timing_notes
    from resbench.specs import Experiment, Precision, Profiling, Scale
    from resbench.trial.profiling import profile as measure_costs

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
    said = [*timing_notes(finding), *notes]
    if case.backend != "eager" or case.mode != "inference":
        said.append("The peak memory in the first table is that of eager inference.")
    result = measure_costs(
        experiment, say, weights=case.weights, timing=lambda: (list(finding.measurements), said)
    )
    environment = environment_of(
        replace(result.environment, settings={**result.environment.settings, **_settings(record)}),
        record.arms[0],
    )
    sections = [*_sections(finding, *extras, say), *beside]
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
    from resbench.cli.timing_views import finding_as_json

    names = ("backend", "whole_model", "memory_format", "mode", "threads", "allocator")
    asked = {name: getattr(finding.case, name) for name in names}
    asked["weights"] = finding.case.weights
    clocks = finding_as_json(finding, None)
    return {
        **asked,
        **{name: value for name, value in clocks.items() if name not in ("latency", "throughput")},
        "processes": record.processes,
        "samples_by_process": record.arms[0].latencies(),
    }


def _sections(finding: Finding, extras: Extras, roof: CaseRoof, say: Say) -> list[Section]:
    sections = []
    if extras.roofline and roof.ceilings is not None:
        sections.append(roof_section(finding, roof.ceilings, earlier=roof.earlier))
    if extras.energy:
        sections.append(energy_section(finding.case, say))
    return [*sections, *inner_sections(finding.case, roof.ceilings, extras, say)]


def _several(
    found: Sequence[Finding],
    record: Record,
    environments: tuple[Environment, Sequence[Environment]],
    floor: Floor | None,
    notes: Sequence[str],
    beside: Sequence[Section],
) -> Show:
    from resbench.cli.comparison_views import show_comparison

    shared, own = environments
    more = {name: value for section in beside for name, value in section.as_json.items()}

    def shown(output: Format) -> None:
        show_comparison(found, record, shared, floor, notes, output, own=own, more=more)
        if output in (Format.TABLE, Format.MARKDOWN):
            for section in beside:
                section.show(output)

    return shown
