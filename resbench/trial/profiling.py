"""One live experiment: model, data and device, measured."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import torch
from torch import Tensor, nn

from resbench.architectures.layers import layers_of
from resbench.environment import capture
from resbench.errors import ResbenchError
from resbench.metrics import flops, latency, memory, parameters, peers
from resbench.models.build import build, find_architecture
from resbench.models.devices import resolve_device
from resbench.models.precision import autocast, check_precision, without_tf32
from resbench.results import Measurement, Result, plain
from resbench.specs import Experiment, Precision, Profiling, Scale

Findings = tuple[list[Measurement], list[str]]
"""Measurements, and the notes a reader needs beside them."""


def _silent(_status: str) -> None:
    """Say nothing."""


def profile(experiment: Experiment, say: Callable[[str], None] = _silent) -> Result:
    """Measure what a network costs: parameters, size, operations, peak memory, latency and throughput.

    Weights are PyTorch's initial ones and the input is random normal, both from the experiment's seed. `Scale.FULL`
    is measured for longer than the other scales. A measurement that cannot be had becomes a note.

    Args:
        experiment: with `profiling` set.
        say: is told what is being measured, for a display.

    Raises:
        UsageError: the model, the device, the input or the precision is not there, or they do not fit.
        ResbenchError: memory does not suffice.
    """
    if experiment.profiling is None:
        raise ValueError("profile needs an experiment with profiling set")
    device = resolve_device(experiment.device)
    check_precision(experiment.precision, device)
    architecture = find_architecture(experiment.model)
    layers = layers_of(architecture, experiment.profiling.input_CHW, experiment.profiling.num_classes)
    started, begin = datetime.now(UTC), time.perf_counter()
    measurements = [*parameters.measure(layers), *flops.measure(layers)]
    notes: list[str] = []
    with without_tf32(), _enough_memory(experiment):
        environment = capture(str(device), _settings(experiment, device))
        for measure in (_memory, _timing, _peers):
            found, said = measure(experiment, experiment.profiling, device, say)
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
    precision = experiment.precision
    settings = {"mode": "eval, inference_mode", "precision": precision.value}
    if precision is not Precision.FP32:
        settings["precision"] = f"{precision} autocast, entered for each call"
    elif device.type == "cuda":
        settings["TF32"] = "off"
    return settings


def _memory(
    experiment: Experiment, profiling: Profiling, device: torch.device, say: Callable[[str], None]
) -> Findings:
    say("peak memory")
    if device.type == "cuda":
        return [memory.peak_on_cuda(partial(_forward, experiment, profiling, device), device)], []
    try:
        found = memory.peak_on_cpu(experiment.model, profiling, experiment.precision, torch.get_num_threads())
    except ResbenchError as error:
        return [], [f"Not measured: {error}."]
    return [found], []


def _timing(
    experiment: Experiment, profiling: Profiling, device: torch.device, say: Callable[[str], None]
) -> Findings:
    call = _forward(experiment, profiling, device)
    plan = latency.STANDARD if experiment.scale is Scale.FULL else latency.QUICK
    stopwatch = latency.Stopwatch()
    if device.type == "cuda":
        stopwatch = latency.Stopwatch(synchronise=partial(torch.cuda.synchronize, device))
    say("warm-up")
    warmed = latency.warm_up(call, stopwatch, plan)
    say("latency")
    single = latency.measure_latency(call, stopwatch, plan)
    say("throughput")
    rate = latency.measure_throughput(
        call, stopwatch, batch_size=profiling.batch_size, latency_s=single.value, plan=plan
    )
    return [single, rate], [
        f"Warm-up: {warmed.calls} calls in {warmed.seconds:.1f} s, "
        + ("until they no longer became faster." if warmed.settled else "ended by its time limit."),
        "Intervals of latency and throughput hold within this process: another process may differ by more.",
    ]


def _peers(
    experiment: Experiment, profiling: Profiling, _device: torch.device, say: Callable[[str], None]
) -> Findings:
    measurements, notes = [], []
    model = build(find_architecture(experiment.model), classes=profiling.num_classes)
    for peer in peers.PEERS:
        say(f"cross-check by {peer.name}")
        try:
            measurement, counted = peers.measure(peer, model, profiling.input_CHW)
        except ResbenchError as error:
            notes.append(f"No cross-check: {error}.")
            continue
        measurements.append(measurement)
        if counted.unsupported:
            left_out = ", ".join(f"{name} ({times})" for name, times in counted.unsupported)
            notes.append(f"{peer.name} says it counts these as nothing: {left_out}.")
    return measurements, notes


def _forward(experiment: Experiment, profiling: Profiling, device: torch.device) -> Callable[[], Tensor]:
    """Place model and input on the device, and return the forward pass."""
    model = _model(experiment, profiling).to(device)
    generator = torch.Generator().manual_seed(experiment.seed)
    # Never zeros: a GPU that multiplies zeros draws less power, clocks higher and looks faster than it is.
    shape_BCHW = (profiling.batch_size, *profiling.input_CHW)
    images_BCHW = torch.randn(shape_BCHW, generator=generator).to(device)

    def call() -> Tensor:
        with torch.inference_mode(), autocast(experiment.precision, device):
            logits_BK: Tensor = model(images_BCHW)
            return logits_BK

    return call


def _model(experiment: Experiment, profiling: Profiling) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(experiment.seed)
        return build(find_architecture(experiment.model), classes=profiling.num_classes).eval()


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
