"""How long a profile will take: between what its rules allow at the least and at the most, from a few calls."""

import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from resbench.errors import ResbenchError
from resbench.metrics import memory
from resbench.metrics.flops import peers
from resbench.metrics.latency import in_process
from resbench.models.outside import open_model
from resbench.specs import Experiment, Profiling, Scale
from resbench.trial.case import Case
from resbench.trial.live import live
from resbench.trial.plan import QUICK, STANDARD

_CALLS = 3


class Bounds(NamedTuple):
    """Seconds at the least and at the most."""

    low: float
    high: float


def call_seconds(experiment: Experiment) -> float:
    """Return the time of one forward pass of what a profile measures: the least of a few, after the first.

    A profile through a backend has none: it may be one that is not installed.
    """
    profiling = _profiling(experiment)
    if profiling.backend:
        return 0.0  # its processes' rules say how long, and how fast it is here is what will be found out
    case = Case(
        model=experiment.model,
        device=experiment.device,
        precision=experiment.precision,
        batch_size=profiling.batch_size,
        input_CHW=profiling.input_CHW,
        num_classes=profiling.num_classes,
        threads=torch.get_num_threads(),
    )
    with live(case, calibrated=False) as opened:
        return min(opened.stopwatch.seconds(opened.call) for _ in range(_CALLS))


def apart_seconds(experiment: Experiment, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of what a profile does beside its clocks, by doing it: peak memory, and the other counters."""
    profiling, begin = _profiling(experiment), clock()
    with contextlib.suppress(ResbenchError):  # the profile makes a note of it
        if not experiment.device.startswith("cuda"):
            memory.peak_on_cpu(experiment.model, profiling, experiment.precision, torch.get_num_threads())
    model = open_model(experiment.model, classes=profiling.num_classes).module
    for peer in peers.REQUIRED:
        with contextlib.suppress(ResbenchError):
            peers.measure(peer, model, profiling.input_CHW)
    return clock() - begin


def bounds_of(experiment: Experiment, call_s: float, apart_s: float) -> Bounds:
    """Return between which times a profile lies, by the rules of its warm-up and its sampling.

    Args:
        experiment: that profiles.
        call_s: of one call.
        apart_s: of what is done beside the clocks; of a backend's profile, about that of starting one process.
    """
    if _profiling(experiment).backend:
        return _in_processes(experiment, apart_s)
    plan = in_process.STANDARD if experiment.scale is Scale.FULL else in_process.QUICK
    steady, stop = plan.steady, plan.stop
    rate_s = plan.rounds * max(plan.round_s, call_s)
    least_s = min(steady.limit_s, max(steady.seconds, steady.calls * call_s)) + stop.samples_at_least * call_s
    most_s = max(steady.limit_s, 2 * call_s) + max(stop.budget_s, stop.samples_at_least * call_s)
    low, high = sorted((least_s + rate_s, most_s + rate_s))
    return Bounds(low + apart_s, high + apart_s)


def _in_processes(experiment: Experiment, start_s: float) -> Bounds:
    """Return the bounds of a profile in fresh processes: as many as its plan wants, or three times as many, and a check."""
    plan = STANDARD if experiment.scale is Scale.FULL else QUICK
    rate_s = plan.throughput_rounds * plan.throughput_s
    return Bounds(
        plan.processes * (start_s + plan.steady.seconds + rate_s),
        (3 * plan.processes + 1) * (start_s + plan.steady.limit_s + rate_s) + plan.stop.budget_s,
    )


def _profiling(experiment: Experiment) -> Profiling:
    if experiment.profiling is None:
        raise ValueError("only a profile has bounds")
    return experiment.profiling
