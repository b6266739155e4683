"""A forward pass, watched by PyTorch's profiler: each operator, its time, and the module that called it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.autograd.profiler import record_function
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.profiler import ProfilerActivity, profile

from resbench.architectures.layers import Layer
from resbench.metrics.roofline.ceilings import Timed, clock_of
from resbench.metrics.roofline.layers import Operation, Pass, Times, times_of

FORWARD = "resbench: forward pass"
MODULE = "module: "
METHOD = (
    "PyTorch's profiler, told of each module; operators that no other operator called; passes that are watched and "
    "not watched take turns; of each, means over the quicker half, which add up as medians do not"
)


def measure_layers(
    module: nn.Module,
    call: Callable[[], object],
    layers: Sequence[Layer],
    device: torch.device,
    *,
    rounds: int = 5,
    calls: int = 4,
    timed: Timed | None = None,
) -> Times:
    """Return what each layer of a network takes in a forward pass. Warm up before.

    Args:
        module: the network, in eager mode: what a compiler fused has no layers any more.
        call: a forward pass through it.
        layers: its layers, as described or as observed.
        device: where it runs.
        rounds: how often watching and not watching take turns.
        calls: how many passes of each there are in a round.
        timed: a clock for what is not watched; default: one that waits for the device.
    """
    clock = timed or clock_of(device)
    seen: list[Pass] = []
    whole: list[float] = []
    for _ in range(rounds):
        # The first call after the profiler has worked on its records would find cold caches.
        clock(call)
        whole += [clock(call) for _ in range(calls)]
        seen += watch(module, call, device, calls)
    return times_of(seen, whole, layers, METHOD)


def watch(module: nn.Module, call: Callable[[], object], device: torch.device, calls: int) -> list[Pass]:
    """Return forward passes as the profiler saw them; the first one, in which it starts up, is left out."""
    with marked(module), watching(device) as profiler:
        for _ in range(calls + 1):
            with record_function(FORWARD):
                call()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
    leaves = {name for name, inner in module.named_modules() if not next(inner.children(), None)}
    return passes_of(profiler.events(), leaves, on_gpu=device.type == "cuda")[1:]


@contextmanager
def watching(device: torch.device) -> Iterator[profile]:
    """Return a profiler of what runs on the device."""
    # Its library reports its own start, and a missing GPU, on standard error.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    # Some versions warn of events that are lost from one cycle to the next; here there is one cycle.
    with profile(activities=activities, acc_events=True) as profiler:
        yield profiler


@contextmanager
def marked(module: nn.Module) -> Iterator[None]:
    """Mark, for the profiler, when each module of a network is called and when it returns."""
    paths = {id(inner): name for name, inner in module.named_modules()}
    open_marks: list[record_function] = []

    def enter(inner: nn.Module, _inputs: Any) -> None:
        if id(inner) in paths:
            mark = record_function(MODULE + paths[id(inner)])
            mark.__enter__()
            open_marks.append(mark)

    def leave(inner: nn.Module, _inputs: Any, _output: Any) -> None:
        if id(inner) in paths:
            open_marks.pop().__exit__(None, None, None)

    hooks = (
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave, always_call=True),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def passes_of(events: Sequence[Any], leaves: set[str], *, on_gpu: bool) -> list[Pass]:
    """Return the passes that are marked in a profiler's events.

    Args:
        events: `torch.autograd.profiler_util.FunctionEvent`s.
        leaves: paths of the modules without children.
        on_gpu: whether the time of an operator is that of its kernels.
    """
    marks = [event for event in events if event.name == FORWARD and not _is_kernel(event)]
    return [_pass(mark, leaves, on_gpu) for mark in sorted(marks, key=lambda mark: mark.time_range.start)]


def _pass(mark: Any, leaves: set[str], on_gpu: bool) -> Pass:
    operations: list[Operation] = []
    calls: Counter[str] = Counter()

    def walk(event: Any, path: str, call: int) -> None:
        for child in sorted(event.cpu_children, key=lambda child: child.time_range.start):
            if child.name.startswith(MODULE):
                inner = child.name.removeprefix(MODULE)
                calls[inner] += 1
                walk(child, inner, calls[inner] - 1)
            elif child.name.startswith("aten::"):
                name = "aten." + child.name.removeprefix("aten::").rstrip("_")
                operations.append(Operation(path, call, path in leaves, name, _seconds(child, on_gpu)))
            else:
                walk(child, path, call)

    walk(mark, "", 0)
    return Pass(tuple(operations), mark.time_range.elapsed_us() / 1e6)


def _seconds(event: Any, on_gpu: bool) -> float:
    return float(event.device_time_total if on_gpu else event.cpu_time_total) / 1e6


def _is_kernel(event: Any) -> bool:
    """A profiler of a GPU shows each mark twice: when it was made, and when its kernels ran."""
    return str(event.device_type.name) != "CPU"
