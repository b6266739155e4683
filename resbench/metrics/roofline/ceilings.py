"""What this machine can do at best, measured: convolutions, matrix products, copies. In one precision, with so many threads.

The roof is measured through the library that convolutions go through (oneDNN, cuDNN): `torch.mm` in float32 may go
through another one, that reaches half of it. So a matrix product is here a convolution with a 1x1 kernel.

The least time of several calls counts, not their median: what else runs on the machine can only make a call longer. How
much of the cores' time the calls got is noted, and a roof that others disturbed is not kept.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from resbench.errors import UsageError
from resbench.metrics.roofline.bytes import element_size
from resbench.metrics.roofline.ceiling import Ceilings, Rate, find_ceilings, keep_ceilings
from resbench.metrics.roofline.workloads import ON_CPU, ON_GPU, Effort, Shape

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
Timed = Callable[[Callable[[], object]], float]
"""Runs a call once and returns its seconds, from an idle device to an idle device."""


def ceilings_here(
    folder: Path,
    machine_id: str,
    device: torch.device,
    precision: str,
    threads: int,
    *,
    again: bool = False,
    say: Callable[[str], None] = lambda _status: None,
) -> tuple[Ceilings, bool]:
    """Return what this machine does at best, and whether that was known before.

    What is measured is kept, unless other programs disturbed it.

    Args:
        folder: where it is kept: `resbench.metrics.roofline.ceiling.default_folder()`.
        machine_id: of this machine (`resbench.results.Environment.machine_id`).
        device: as for `measure_ceilings`.
        precision: as for `measure_ceilings`.
        threads: as for `measure_ceilings`.
        again: measure even if it is known.
        say: as for `measure_ceilings`.

    Raises:
        UsageError: as `measure_ceilings`; or it can't be kept.
    """
    counted = threads if device.type == "cpu" else 0
    known = None if again else find_ceilings(folder, machine_id, str(device), precision, counted)
    if known:
        return known, True
    found = measure_ceilings(device, precision, threads, say=say)
    if not found.disturbed:
        keep_ceilings(folder, machine_id, found)
    return found, False


def measure_ceilings(
    device: torch.device,
    precision: str,
    threads: int,
    *,
    timed: Timed | None = None,
    effort: Effort | None = None,
    say: Callable[[str], None] = lambda _status: None,
) -> Ceilings:
    """Return what the device does at best; a few seconds. Nothing else should run meanwhile.

    Args:
        device: a CPU or a CUDA device.
        precision: fp32, tf32, bf16 or fp16, of weights and activations.
        threads: how many a CPU uses; set for the time of the measurement.
        timed: a clock; default: one that waits for the device.
        effort: what is tried.
        say: is told what is being measured.

    Raises:
        UsageError: there is no such precision, or the device can't compute in it.
    """
    element_size(precision)
    plan = effort or (ON_CPU if device.type == "cpu" else ON_GPU)
    bench = _Bench(device, timed or clock_of(device), plan)
    with _threads(threads), _float32(precision, device), torch.inference_mode():
        say(f"roof: convolutions in {precision}")
        convolution = _fastest(plan.convolutions, precision, bench)
        say(f"roof: matrix products in {precision}")
        product = _fastest(plan.products, precision, bench)
        say("roof: copies")
        copy = _copy(bench)
    return Ceilings(
        device=str(device),
        precision=precision,
        threads=threads if device.type == "cpu" else 0,
        convolution=convolution,
        product=product,
        copy=copy,
    )


def clock_of(device: torch.device) -> Timed:
    """Return a clock that waits until the device is idle, before and after."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def timed(call: Callable[[], object]) -> float:
        wait()
        begin = time.perf_counter()
        call()
        wait()
        return time.perf_counter() - begin

    return timed


class _Bench(NamedTuple):
    """Where, by which clock, and for how long a rate is measured."""

    device: torch.device
    clock: Timed
    plan: Effort


def _fastest(shapes: tuple[Shape, ...], precision: str, bench: _Bench) -> Rate:
    """Return the highest FLOP/s over shapes and memory formats."""
    found = []
    for shape in shapes:
        for layout in (torch.contiguous_format, torch.channels_last):
            call = _convolution(shape, bench.device, DTYPES[precision], layout)
            words = "channels_last" if layout is torch.channels_last else "contiguous"
            found.append(_rate(shape.flops, f"{shape}, {words}", call, bench))
    return max(found, key=lambda rate: rate.value)


def _convolution(
    shape: Shape, device: torch.device, dtype: torch.dtype, layout: torch.memory_format
) -> Callable[[], Tensor]:
    generator = torch.Generator().manual_seed(0)

    def random(*sizes: int) -> Tensor:
        # Never zeros: a GPU multiplies zeros with less power, and faster.
        return torch.randn(sizes, generator=generator).to(device, dtype).contiguous(memory_format=layout)

    images = random(shape.batch, shape.channels, shape.side, shape.side)
    weights = random(shape.channels, shape.channels, shape.kernel, shape.kernel)

    def call() -> Tensor:
        try:
            return torch.nn.functional.conv2d(images, weights, padding=shape.kernel // 2)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            reason = next(iter(str(error).splitlines()), "no reason given")
            raise UsageError(
                f"{device} does not convolve in {dtype}: choose another precision ({reason})"
            ) from error

    return call


def _copy(bench: _Bench) -> Rate:
    """Return the bytes that a copy reads and writes in a second."""
    size_B = bench.plan.copy_B
    source = torch.randn(size_B // 4, device=bench.device)
    target = torch.empty_like(source)
    how = f"{size_B / 2**20:g} MiB, read and written"
    return _rate(2 * size_B, how, lambda: target.copy_(source), bench)


def _rate(amount: int, how: str, call: Callable[[], object], bench: _Bench) -> Rate:
    """Return the amount over the least time of a call, after two calls that don't count."""
    bench.clock(call)
    bench.clock(call)
    least, calls, spent = math.inf, 0, 0.0
    begin_s = time.process_time()
    while calls < bench.plan.calls or spent < bench.plan.seconds:
        seconds = bench.clock(call)
        least, calls, spent = min(least, seconds), calls + 1, spent + seconds
    occupied = (time.process_time() - begin_s) / (spent * torch.get_num_threads())
    return Rate(amount / least, how, calls, min(1.0, occupied) if bench.device.type == "cpu" else 1.0)


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _float32(precision: str, device: torch.device) -> Iterator[None]:
    """Let a GPU round float32 to TF32 if, and only if, that is what was asked for."""
    if device.type != "cuda":
        if precision == "tf32":
            raise UsageError("precision 'tf32' is for GPUs: on a CPU use fp32 or bf16")
        yield
        return
    from resbench.models.precision import without_tf32

    with without_tf32():
        if precision == "tf32":
            torch.backends.cudnn.allow_tf32 = True
        yield
