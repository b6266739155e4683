"""One live experiment: model, data and device, measured."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from resbench.environment import capture
from resbench.errors import ResbenchError
from resbench.metrics import memory, parameters
from resbench.metrics.flops import peers
from resbench.metrics.flops.measure import measure as measure_operations
from resbench.metrics.latency import in_process
from resbench.metrics.latency.clocks import Stopwatch
from resbench.models.devices import resolve_device
from resbench.models.layering import layered
from resbench.models.outside import open_model
from resbench.models.precision import autocast, check_precision, float32_as, in_words
from resbench.models.weights import Loaded, load_weights
from resbench.results import Measurement, Result, plain
from resbench.specs import Experiment, Profiling, Scale
from resbench.trial.provenance import model_facts

Findings = tuple[list[Measurement], list[str]]
"""Measurements, and the notes a reader needs beside them."""


class _Asked(NamedTuple):
    """What is measured."""

    experiment: Experiment
    profiling: Profiling
    device: torch.device
    weights: str


def _silent(_status: str) -> None:
    """Say nothing."""


def profile(
    experiment: Experiment,
    say: Callable[[str], None] = _silent,
    *,
    weights: str = "",
    timing: Callable[[], Findings] | None = None,
) -> Result:
    """Measure what a network costs: parameters, size, operations, peak memory, latency and throughput.

    Weights are PyTorch's initial ones, or those given, and the input is random normal, both from the experiment's seed. `Scale.FULL`
    is measured for longer than the other scales. A measurement that cannot be had becomes a note.

    Args:
        experiment: with `profiling` set.
        say: is told what is being measured, for a display.
        weights: a name of torchvision's, or a file; see `resbench.models.weights.load_weights`.
        timing: latency and throughput, where they were measured in processes of their own; else it is done in this one.

    Raises:
        UsageError: the model, the device, the input, the precision or the weights are not there, or they do not fit.
        ResbenchError: memory does not suffice.
    """
    if experiment.profiling is None:
        raise ValueError("profile needs an experiment with profiling set")
    device = resolve_device(experiment.device)
    check_precision(experiment.precision, device)
    started, begin = datetime.now(UTC), time.perf_counter()
    model = layered(experiment.model, experiment.profiling.input_CHW, experiment.profiling.num_classes)
    asked = _Asked(experiment, experiment.profiling, device, weights)
    measurements = [*parameters.measure(model.layers, model.parameters), *measure_operations(model.layers)]
    settings, notes = _settings(experiment, device), list(model.notes)
    if weights:
        loaded = _check_weights(asked)
        settings["weights"] = loaded.source
        notes += loaded.notes
    with float32_as(experiment.precision), _enough_memory(experiment):
        profiling = experiment.profiling
        facts = model_facts(experiment.model, profiling.input_CHW, profiling.num_classes)
        environment = capture(str(device), settings, model=facts)
        timed = _timing if timing is None else lambda _asked, _say: timing()
        for measure in (_memory, timed, _peers):
            found, said = measure(asked, say)
            measurements += found
            notes += said
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=tuple(measurements),
        environment=environment,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - begin,
        notes=tuple(notes),
    )


def _settings(experiment: Experiment, device: torch.device) -> dict[str, str]:
    words = in_words(experiment.precision, whole_model=False, device=device)
    return {"mode": "eval, inference_mode", "precision": words}


def _check_weights(asked: _Asked) -> Loaded:
    """Say early what does not fit: load the weights into a network that holds no memory."""
    model = asked.experiment.model
    with torch.device("meta"):
        module = open_model(model, classes=asked.profiling.num_classes).module
    return load_weights(module, asked.weights, name=model)


def _memory(asked: _Asked, say: Callable[[str], None]) -> Findings:
    say("peak memory")
    experiment = asked.experiment
    if asked.device.type == "cuda":
        return [memory.peak_on_cuda(partial(_forward, asked), asked.device)], []
    try:
        found = memory.peak_on_cpu(
            experiment.model, asked.profiling, experiment.precision, torch.get_num_threads()
        )
    except ResbenchError as error:
        return [], [f"Not measured: {error}."]
    return [found], []


def _timing(asked: _Asked, say: Callable[[str], None]) -> Findings:
    call = _forward(asked)
    plan = in_process.STANDARD if asked.experiment.scale is Scale.FULL else in_process.QUICK
    stopwatch = Stopwatch()
    if asked.device.type == "cuda":
        stopwatch = Stopwatch(synchronise=partial(torch.cuda.synchronize, asked.device))
    say("warm-up")
    warmed = in_process.warm_up(call, stopwatch, plan)
    say("latency")
    single, reason = in_process.measure_latency(call, stopwatch, plan)
    say("throughput")
    rate = in_process.measure_throughput(
        call, stopwatch, batch_size=asked.profiling.batch_size, latency_s=single.value, plan=plan
    )
    return [single, rate], [
        f"Warm-up: {warmed.calls} calls in {warmed.seconds:.1f} s, "
        + ("until they were steady." if warmed.steady else "ended by its time limit."),
        *([] if reason.met else [f"Not as precise as asked for: {reason.criterion}."]),
        "Intervals of latency and throughput hold within this process: another process may differ by more.",
    ]


def _peers(asked: _Asked, say: Callable[[str], None]) -> Findings:
    measurements, notes = [], []
    model = open_model(asked.experiment.model, classes=asked.profiling.num_classes).module
    for peer in peers.REQUIRED:
        say(f"cross-check by {peer.name}")
        try:
            measurement, counted = peers.measure(peer, model, asked.profiling.input_CHW)
        except ResbenchError as error:
            notes.append(f"No cross-check: {error}.")
            continue
        measurements.append(measurement)
        if counted.unsupported:
            left_out = ", ".join(f"{name} ({times})" for name, times in counted.unsupported)
            notes.append(f"{peer.name} says it counts these as nothing: {left_out}.")
    return measurements, notes


def _forward(asked: _Asked) -> Callable[[], Tensor]:
    """Place model and input on the device, and return the forward pass."""
    model = _model(asked).to(asked.device)
    generator = torch.Generator().manual_seed(asked.experiment.seed)
    # Never zeros: a GPU that multiplies zeros draws less power, clocks higher and looks faster than it is.
    shape_BCHW = (asked.profiling.batch_size, *asked.profiling.input_CHW)
    images_BCHW = torch.randn(shape_BCHW, generator=generator).to(asked.device)

    def call() -> Tensor:
        with torch.inference_mode(), autocast(asked.experiment.precision, asked.device):
            logits_BK: Tensor = model(images_BCHW)
            return logits_BK

    return call


def _model(asked: _Asked) -> nn.Module:
    model = asked.experiment.model
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(asked.experiment.seed)
        module = open_model(model, classes=asked.profiling.num_classes).module
    if asked.weights:
        load_weights(module, asked.weights, name=model)
    return module.eval()


@contextlib.contextmanager
def _enough_memory(experiment: Experiment) -> Iterator[None]:
    """Turn what torch says of memory that does not suffice into one line."""
    try:
        yield
    except (
        RuntimeError
    ) as error:  # torch.OutOfMemoryError is one; the CPU's allocator has no class of its own
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise ResbenchError(
            f"{experiment.model} does not fit into the memory of {experiment.device}: use a smaller batch or input"
        ) from error
