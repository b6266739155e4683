"""Cases measured side by side on this machine: what `resbench.trial.measuring` asks for, made of real processes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import torch

from resbench.environment.cpu import usable_cores
from resbench.environment.gpu import gpu_uuid
from resbench.environment.host import clock_and_heat
from resbench.errors import UsageError
from resbench.metrics.latency import nvml
from resbench.metrics.latency.disturbance import CpuState, GpuReader, read
from resbench.models.backends import BackendOptions, check_options, find_backend
from resbench.models.devices import resolve_device
from resbench.specs import Precision
from resbench.trial.case import Case
from resbench.trial.live import needs_check
from resbench.trial.measuring import measure
from resbench.trial.plan import Bench, Plan
from resbench.trial.processes import Workers
from resbench.trial.records import Failure, Record


def check_case(case: Case) -> None:
    """Refuse, before any process is started, what this machine or the backend has not.

    Raises:
        UsageError: threads, device, backend or an option of it.
    """
    cores = len(usable_cores())
    if case.threads > cores:
        raise UsageError(
            f"--threads {case.threads} are more than the {cores} core{'s' * (cores > 1)} that this process may use"
        )
    options = BackendOptions(
        precision=Precision(case.precision),
        whole_model=case.whole_model,
        memory_format=case.memory_format,
        threads=case.threads,
        device=resolve_device(case.device),
        training=case.mode == "training",
    )
    check_options(find_backend(case.backend), options)


def measure_side_by_side(
    cases: Sequence[Case],
    plan: Plan,
    say: Callable[[str], None],
    pace_s: Callable[[int], float] = lambda _threads: 0.0,
    failures: Mapping[int, Failure] = MappingProxyType({}),
) -> Record:
    """Measure cases in fresh processes; none is left when this returns or raises.

    Args:
        cases: the arms.
        plan: how much.
        say: is told what is being done.
        pace_s: the machine's own pace with so many threads, to which figures are brought; 0 where it is not known.
        failures: of cases that are known to fail, by their place.

    Raises:
        UsageError: a case asks for what is not there.
    """
    for case in cases:
        check_case(case)
    with Workers() as start:
        look = partial(read, usable_cores(), _gpu_reader(cases[0].device), cpu=_cpu_state)
        bench = Bench(start=start, look=look, say=say, pace_s=pace_s)
        return measure(cases, plan, bench, needs_check, failures)


def _cpu_state() -> CpuState:
    return CpuState(*clock_and_heat())


def _gpu_reader(device: str) -> GpuReader | None:
    place = torch.device(device)
    if place.type != "cuda":
        return None
    uuid = gpu_uuid(place)
    return nvml.reader(f"GPU-{uuid.removeprefix('GPU-')}") if uuid else None
