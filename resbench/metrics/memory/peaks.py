"""The peak of a forward pass as one `Measurement`: in a fresh process on the CPU, or by CUDA's allocator. No torch of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from resbench.metrics.memory.asking import measure
from resbench.metrics.memory.workload import Workload
from resbench.results import Measurement, Statistic, Unit
from resbench.specs import Precision, Profiling

if TYPE_CHECKING:
    import torch


def peak_on_cuda(prepare: Callable[[], Callable[[], object]], device: "torch.device") -> Measurement:
    """Return `peak_memory` of what `prepare` places on the device and the call that it returns.

    Args:
        prepare: places model and input on the device, and returns the forward pass.
        device: a CUDA device.
    """
    import torch

    # cuBLAS keeps its workspace for good; it belongs to the library, not to the model.
    torch.nn.functional.linear(torch.ones(8, 8, device=device), torch.ones(8, 8, device=device))
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call = prepare()
    call()
    torch.cuda.synchronize(device)
    peak = torch.cuda.max_memory_allocated(device) - before
    return _measurement(peak, "CUDA allocator: weights, input, forward pass")


def peak_on_cpu(model: str, profiling: Profiling, precision: Precision, threads: int) -> Measurement:
    """Return `peak_memory` of a model and one forward pass in a fresh process, with the C library's usual heap.

    Args:
        model: its name, ours or not.
        profiling: batch, input and classes.
        precision: of the pass.
        threads: how many the process uses.

    Raises:
        ResbenchError: the process fails, or the system does not say what its peak was.
    """
    found = measure(
        Workload(
            model=model,
            batch_size=profiling.batch_size,
            input_CHW=profiling.input_CHW,
            classes=profiling.num_classes,
            precision=precision.value,
            threads=threads,
            returns_memory=False,
        )
    )
    return _measurement(found.peak, f"{found.method}: weights, input, forward pass")


def _measurement(peak_B: int, method: str) -> Measurement:
    return Measurement(
        metric="peak_memory", value=peak_B, unit=Unit.BYTE, statistic=Statistic.MAXIMUM, method=method
    )
