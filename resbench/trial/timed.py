"""One network timed through one backend: in fresh processes, its output held against eager PyTorch's first.

What can't be timed here (a runtime that is not installed, a precision that the processor has not) is a result without
figures that says why: the other arms of a suite go on.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import torch

from resbench.environment import capture
from resbench.environment.cpu import usable_cores
from resbench.errors import ResbenchError, Stopped
from resbench.metrics import parameters
from resbench.metrics.flops.measure import measure as measure_operations
from resbench.models.backends.compile_cache import fresh_cache
from resbench.models.layering import layered
from resbench.results import Environment, Measurement, Result, plain
from resbench.specs import Experiment, Profiling, Scale
from resbench.trial.case import Case
from resbench.trial.findings import Finding, findings
from resbench.trial.noise import find_pace_s, noise_folder
from resbench.trial.plan import QUICK, STANDARD, Plan
from resbench.trial.provenance import environment_of
from resbench.trial.records import Record
from resbench.trial.side_by_side import measure_side_by_side

Measure = Callable[[list[Case], Plan, Callable[[str], None], Callable[[int], float]], Record]
"""What measures cases; see `measure_side_by_side`."""

NOT_MEASURED = "Not measured: "
"""How the note begins that says why a result has no figures."""


def timed(
    experiment: Experiment, say: Callable[[str], None], *, measure: Measure = measure_side_by_side
) -> Result:
    """Return parameters, operations, latency and throughput of a network through the backend of its profiling.

    Args:
        experiment: with a profiling that names a backend; `Scale.FULL` is measured for longer than the other scales.
        say: is told what is being done.
        measure: in place of real processes.

    Returns:
        The result; without latency and with a note where the backend is not installed, can't do what is asked, fails, or
        answers otherwise than eager PyTorch.

    Raises:
        UsageError: there is no such network, or the input does not suit it.
    """
    profiling = experiment.profiling
    if profiling is None or not profiling.backend:
        raise ValueError("timing needs a profiling that names its backend")
    started, begin = datetime.now(UTC), time.perf_counter()
    model = layered(experiment.model, profiling.input_CHW, profiling.num_classes)
    found, notes, environment = _timings(experiment, profiling, say, measure)
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(
            *parameters.measure(model.layers, model.parameters),
            *measure_operations(model.layers),
            *found,
        ),
        environment=environment,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - begin,
        notes=(*model.notes, *notes),
    )


def is_answered(result: Result) -> bool:
    """Return whether a result has what it was asked for: one that only says why not is not kept, and asked for again."""
    return not why_unanswered(result)


def why_unanswered(result: Result) -> str:
    """Return why a result has nothing of what it was asked for; empty where it has."""
    if any(found.metric in ("latency", "peak_memory") for found in result.measurements):
        return ""
    return next((note for note in result.notes if note.startswith(NOT_MEASURED)), "")


def case_of(experiment: Experiment, profiling: Profiling) -> Case:
    """Return what is measured, with as many threads as this process would compute with."""
    return Case(
        model=experiment.model,
        backend=profiling.backend,
        device=experiment.device,
        precision=experiment.precision,
        batch_size=profiling.batch_size,
        input_CHW=profiling.input_CHW,
        num_classes=profiling.num_classes,
        threads=min(torch.get_num_threads(), len(usable_cores())),
        seed=experiment.seed,
    )


def _timings(
    experiment: Experiment, profiling: Profiling, say: Callable[[str], None], measure: Measure
) -> tuple[tuple[Measurement, ...], tuple[str, ...], Environment]:
    environment = capture(experiment.device, {"backend": profiling.backend})
    pace_s = partial(find_pace_s, noise_folder(), environment.machine_id, str(torch.__version__))
    plan = STANDARD if experiment.scale is Scale.FULL else QUICK
    try:
        with fresh_cache():
            record = measure([case_of(experiment, profiling)], plan, say, pace_s)
    except Stopped:
        raise
    except ResbenchError as error:
        return (), (f"{NOT_MEASURED}{error}.",), environment
    (finding,) = findings(record)
    return finding.measurements, _notes(finding), environment_of(environment, record.arms[0])


def _notes(finding: Finding) -> tuple[str, ...]:
    failure, criterion = finding.failure, finding.criterion
    return (
        *([f"{NOT_MEASURED}{failure.message}."] if failure and not finding.measurements else []),
        *([f"Not as precise as asked for: {criterion}."] if criterion else []),
        *finding.notes,
    )
