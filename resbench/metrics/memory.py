"""Peak memory of a forward pass: the CUDA allocator's peak, or the growth of a fresh process on the CPU.

`python -m resbench.metrics.memory` is that process: it reads a question as JSON and prints the bytes.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from resbench.errors import ResbenchError
from resbench.models.build import build, find_architecture
from resbench.models.precision import autocast
from resbench.results import Measurement, Statistic, Unit
from resbench.specs import Precision, Profiling

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_TIMEOUT_S = 600


def peak_on_cuda(prepare: Callable[[], Callable[[], object]], device: torch.device) -> Measurement:
    """Return `peak_memory` of what `prepare` places on the device and the call that it returns.

    Args:
        prepare: places model and input on the device, and returns the forward pass.
        device: a CUDA device.
    """
    # cuBLAS keeps its workspace for good; it belongs to the library, not to the model.
    nn.functional.linear(torch.ones(8, 8, device=device), torch.ones(8, 8, device=device))
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call = prepare()
    call()
    torch.cuda.synchronize(device)
    peak = torch.cuda.max_memory_allocated(device) - before
    return _measurement(peak, "CUDA allocator: weights, input, forward pass")


def peak_on_cpu(model: str, profiling: Profiling, precision: Precision, threads: int) -> Measurement:
    """Return `peak_memory` of a model and one forward pass in a fresh process.

    Args:
        model: a catalogued name.
        profiling: batch, input and classes.
        precision: of the pass.
        threads: how many the process uses.

    Raises:
        ResbenchError: the process fails, or the system does not say what its peak was.
    """
    question = {
        "model": model,
        "classes": profiling.num_classes,
        "shape_BCHW": [profiling.batch_size, *profiling.input_CHW],
        "precision": precision.value,
        "threads": threads,
    }
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "resbench.metrics.memory"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
            start_new_session=True,  # Ctrl-C is for the command, which stops when this is done
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired as error:
        raise ResbenchError(f"peak memory: the process took longer than {_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        raise ResbenchError(f"peak memory: the process ended with {_last(error)}") from error
    return _measurement(int(answer.stdout), "growth of a fresh process: weights, input, forward pass")


def _last(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in error.stderr.splitlines() if line.strip()]
    return f"exit code {error.returncode}" + (f": {lines[-1].strip()}" if lines else "")


def _measurement(peak_B: int, method: str) -> Measurement:
    return Measurement(
        metric="peak_memory", value=peak_B, unit=Unit.BYTE, statistic=Statistic.MAXIMUM, method=method
    )


def _growth(question: dict[str, object], shape_BCHW: list[int]) -> int:
    """Return by how much this process grew, at its peak, for the model, the input and a forward pass."""
    precision, cpu = Precision(str(question["precision"])), torch.device("cpu")
    torch.set_num_threads(int(str(question["threads"])))
    architecture = find_architecture(str(question["model"]))
    with torch.inference_mode(), autocast(precision, cpu):
        _load_libraries()
        _give_back()
        before = _resident("VmRSS")
        # Writing 5 resets the peak to what is resident now.
        _CLEAR.write_text("5", encoding="ascii")
        model = build(architecture, classes=int(str(question["classes"]))).eval()
        model(torch.randn(shape_BCHW))
    return _resident("VmHWM") - before


def _load_libraries() -> None:
    """Run each kind of layer once: the code of the kernels is no part of the model."""
    tiny = nn.Sequential(
        *(nn.Conv2d(3, 3, kernel, padding=kernel // 2) for kernel in (7, 3, 1)),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(3, 2),
    ).eval()
    tiny(torch.randn(1, 3, 8, 8))


def _give_back() -> None:
    """Return freed heap to the system: reused for the model, it would hide part of the growth."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)


def _resident(field: str) -> int:
    """Return a field of this process's status in bytes: VmRSS (resident now) or VmHWM (its peak)."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise ResbenchError(f"the peak of a process is read from {_STATUS}, which only Linux has") from error
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(values[field].split()[0]) * 1024


def main() -> None:
    """Answer one question from standard input."""
    question = json.load(sys.stdin)
    sys.stdout.write(str(_growth(question, question["shape_BCHW"])))


if __name__ == "__main__":
    main()
