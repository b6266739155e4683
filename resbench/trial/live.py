"""A case brought to life in this process: the model opened, prepared by its backend and ready to be called."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from resbench.environment.settings import rounding_of
from resbench.errors import ResbenchError
from resbench.metrics.latency import device_time
from resbench.metrics.latency.clocks import Stopwatch
from resbench.models.agreement import Reference, check_output, reference_of
from resbench.models.allocator import set_allocator
from resbench.models.backends import Backend, BackendOptions, Prepared, find_backend, prepare
from resbench.models.backends.compile_cache import fresh_cache
from resbench.models.calibration import calibrate
from resbench.models.devices import resolve_device
from resbench.models.outside import open_model
from resbench.models.precision import float32_as
from resbench.models.weights import load_weights
from resbench.specs import Precision
from resbench.trial.case import Case
from resbench.trial.training_step import TrainingStep

_CALIBRATED = "Random weights were given the statistics of random pictures before: the first call of a cold start finds libraries loaded."


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """What is paid once, before the first result.

    Attributes:
        load_s: making the network and its weights.
        prepare_s: bringing it to the device, exporting, compiling.
        compile_s: the part of it that the backend spends on compilation.
        first_call_s: the first call after that, synchronised.
        compile_cached: whether compiled code came from an earlier process's cache: then `compile_s` is no compile time.
    """

    load_s: float
    prepare_s: float
    compile_s: float
    first_call_s: float
    compile_cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What can be called and timed.

    Attributes:
        call: one forward pass, or one training step; takes care of its own precision.
        module: what PyTorch runs; None for other runtimes.
        step: the training step, whose parts can be timed apart; None for inference.
        device_time: the device's busy time of some calls; None where there is no way to know.
        agreement: how far the output is from eager float32, as plain data; empty where it was not checked.
    """

    case: Case
    call: Callable[[], object]
    stopwatch: Stopwatch
    module: nn.Module | None
    step: TrainingStep | None
    device_time: Callable[[int], device_time.DeviceTime] | None
    cold: ColdStart
    settings: dict[str, str]
    versions: dict[str, str]
    notes: tuple[str, ...]
    agreement: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def live(case: Case, *, check: bool = False, calibrated: bool = True) -> Iterator[Live]:
    """Open and prepare a case; inside the block it can be called, and float32 means what the case says.

    The allocator stays as the case has it for the rest of the process's life.

    Args:
        case: what is opened.
        check: whether its output is compared with eager float32. That runs the network before, so a process that
            checks measures nothing.
        calibrated: whether random weights get the statistics of random pictures, by one pass on a few of them; else they
            stay as they were initialised, and nothing runs before the case itself.

    Raises:
        UsageError: a name, a file, a backend, a device or an option is not there, or they do not fit.
        ResbenchError: the backend fails on this network, or its output is wrong.
    """
    allocator = set_allocator(case.allocator)
    device = resolve_device(case.device)
    backend = find_backend(case.backend)
    options = BackendOptions(
        precision=Precision(case.precision),
        whole_model=case.whole_model,
        memory_format=case.memory_format,
        threads=case.threads,
        device=device,
        training=case.mode == "training",
    )
    # What a check compiles shall not be found by the processes that measure.
    with float32_as(options.precision), fresh_cache() if check else contextlib.nullcontext():
        opened = _prepared(
            case,
            backend,
            options,
            check=check and needs_check(case),
            calibrated=calibrated and not case.weights,
        )
        settings = {**opened.settings, **rounding_of(device), "allocator mode": allocator}
        yield replace(opened, settings=settings)


def needs_check(case: Case) -> bool:
    """Whether it is something else than eager float32; a training step has no output to compare."""
    return case.mode == "inference" and (case.backend != "eager" or case.precision != Precision.FP32)


def random_images(case: Case) -> Tensor:
    """Return normal noise of the case's seed and shape, on the CPU.

    Never zeros: a GPU that multiplies zeros draws less power, clocks higher and looks faster than it is.
    """
    return torch.randn(case.shape, generator=torch.Generator().manual_seed(case.seed))


def _prepared(
    case: Case, backend: Backend, options: BackendOptions, *, check: bool, calibrated: bool
) -> Live:
    stopwatch = _stopwatch(options.device)
    begin = time.perf_counter()
    module, notes = _module(case)
    loaded = time.perf_counter()
    if calibrated:
        calibrate(module, case.input_CHW)
    images_BCHW = random_images(case)
    reference = reference_of(module.eval(), case.input_CHW, options) if check else None
    start = time.perf_counter()
    prepared = prepare(backend, module, images_BCHW, options)
    placed_BCHW = prepared.place(images_BCHW)
    stopwatch.synchronise()
    ready = time.perf_counter()
    first = stopwatch.seconds(lambda: prepared.call(placed_BCHW))
    agreement = _agreement(case, prepared, reference)
    call, step = _callable(case, prepared, placed_BCHW)
    return Live(
        case=case,
        call=call,
        stopwatch=stopwatch,
        module=prepared.module,
        step=step,
        device_time=_device_time(backend, options, call),
        cold=ColdStart(
            load_s=loaded - begin,
            prepare_s=ready - start,
            compile_s=prepared.compile_s,
            first_call_s=first,
            compile_cached=prepared.settings.get("compile cache") == "warm",
        ),
        settings=dict(prepared.settings),
        versions=dict(prepared.versions),
        notes=(*notes, *prepared.notes, *([_CALIBRATED] if calibrated else [])),
        agreement=agreement,
    )


def _module(case: Case) -> tuple[nn.Module, tuple[str, ...]]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(case.seed)
        module = open_model(case.model, classes=case.num_classes).module
    if not case.weights:
        return module, ()
    return module, tuple(load_weights(module, case.weights, name=case.model).notes)


def _agreement(case: Case, prepared: Prepared, reference: Reference | None) -> dict[str, Any]:
    if reference is None:
        return {}
    found = check_output(case.backend, prepared, reference, case.batch_size)
    return {**asdict(found), "sentence": found.sentence}


def _callable(
    case: Case, prepared: Prepared, placed_BCHW: Tensor
) -> tuple[Callable[[], object], TrainingStep | None]:
    if case.mode == "inference":
        return partial(prepared.call, placed_BCHW), None
    if prepared.module is None:
        raise ResbenchError(f"backend '{case.backend}' has no training step")
    step = TrainingStep(prepared.call, prepared.module, placed_BCHW, case.seed)
    return step, step


def _stopwatch(device: torch.device) -> Stopwatch:
    if device.type == "cuda":
        return Stopwatch(synchronise=partial(torch.cuda.synchronize, device))
    return Stopwatch()


def _device_time(
    backend: Backend, options: BackendOptions, call: Callable[[], object]
) -> Callable[[int], device_time.DeviceTime] | None:
    if options.device.type == "cuda":
        return partial(device_time.on_queue, call, device_time.CudaQueue(options.device))
    # Inductor's kernels and other runtimes' operators are unknown to torch's profiler on the CPU.
    return partial(device_time.on_cpu, call) if backend.name == "eager" else None
