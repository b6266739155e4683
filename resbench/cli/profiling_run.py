"""What `resbench profile` does once its options are read: measure, and return how the outcome is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch

from resbench.cli.against_views import against_section
from resbench.cli.largest_batches import with_batches
from resbench.cli.profile_extras import check_extras, roof_of
from resbench.cli.profile_memory import fits
from resbench.cli.profile_options import Effort, Extras
from resbench.cli.profile_outcome import Measured, Show, one, settings_of, several
from resbench.cli.sections import Say, Section
from resbench.environment import capture
from resbench.errors import UsageError
from resbench.models.backends.compile_cache import fresh_cache
from resbench.results import Environment, Measurement
from resbench.trial.against import Against, Earlier, check_machine, compare, match, read_earlier
from resbench.trial.case import Case
from resbench.trial.findings import Finding, findings
from resbench.trial.input_bound import check_data, measure_input, with_input
from resbench.trial.noise import Floor, find_floor, find_pace_s, noise_folder
from resbench.trial.provenance import environment_of
from resbench.trial.records import AS_TIMED, Arm, Record
from resbench.trial.side_by_side import check_case, measure_side_by_side


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
    if extras.data:
        check_data(extras.data, cases)
    environment = capture(cases[0].device)
    known = _earlier(extras, environment)
    cases, notes, failures = with_batches(cases, say)
    earlier = match(cases, known) if known else {}
    rates = _input_rates(cases, extras.data, say)
    roofs = [roof_of(case, environment.machine_id, extras, say) for case in cases]
    pace_s = partial(find_pace_s, noise_folder(), environment.machine_id, str(torch.__version__))
    with fresh_cache():  # what was compiled before would hide what compiling takes
        record = measure_side_by_side(cases, effort.plan(cases[0].seed), say, pace_s, failures)
    found = [_fed(each, rates) for each in findings(record, [each.of_case for each in roofs])]
    floor = find_floor(noise_folder(), environment.machine_id, cases[0].device, cases[0].threads)
    environment = replace(environment, settings={**environment.settings, **settings_of(record)})
    own = [environment_of(environment, arm) for arm in record.arms]
    beside = _against(record, own, earlier, extras, floor)
    measured = Measured(found, record, roofs, environment, own, floor, notes, beside)
    return one(measured, effort, extras, say) if len(cases) == 1 else several(measured, extras)


def _input_rates(cases: Sequence[Case], data: str, say: Say) -> dict[int, Measurement]:
    """Return the rate of the input by batch, where it is asked for: first of all, since data may turn out not to be there."""
    if not data:
        return {}
    by_batch = {case.batch_size: case for case in cases}
    return {batch_size: measure_input(data, case, say) for batch_size, case in by_batch.items()}


def _fed(finding: Finding, rates: Mapping[int, Measurement]) -> Finding:
    """Put the rate of the input beside a case, where that was measured; cases of one batch share it."""
    rate = rates.get(finding.case.batch_size)
    return finding if rate is None else with_input(finding, rate)


def _earlier(extras: Extras, environment: Environment) -> tuple[Earlier, ...]:
    """Return the cases of an earlier measurement; refused before anything is measured."""
    if extras.against is None:
        if extras.across_machines:
            raise UsageError("--across-machines is about --against: name the file of an earlier profile")
        return ()
    found = read_earlier(extras.against)
    if not extras.across_machines:
        check_machine(environment.machine_id, found, extras.against)
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
        _beside(record.arms[place], own[place], then)
        for place, then in earlier.items()
        if record.arms[place].rounds
    ]
    return [against_section(found, extras.against, floor)]


def _beside(arm: Arm, own: Environment, then: Earlier) -> Against:
    """Compare as timed what was as timed then: the machine's pace may have become known since."""
    if then.clock == AS_TIMED:
        return compare(arm.case, own, arm.as_timed(), then)
    return compare(arm.case, own, arm.latencies(), then, arm.clock)
