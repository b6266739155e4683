"""NVML (nvidia-ml-py, the extra `nvidia`): found, opened and asked in one place, by all who read a GPU's state or its joules."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def find_nvml() -> Any | None:
    """Return the module `pynvml`, or None where it is not installed."""
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


@contextmanager
def opened(nvml: Any) -> Iterator[None]:
    """Keep NVML open inside the block. NVML counts: a block within another one does not close it."""
    nvml.nvmlInit()
    try:
        yield
    finally:
        nvml.nvmlShutdown()


def handle_of(nvml: Any, uuid: str) -> Any | None:
    """Return NVML's handle of a GPU, or None where it knows none of that UUID.

    Args:
        nvml: the module, open.
        uuid: as torch or NVML gives it, with or without "GPU-": indices differ where CUDA_VISIBLE_DEVICES is set.
    """
    names = (uuid,) if uuid.startswith(("GPU-", "MIG-")) else (f"GPU-{uuid}", f"MIG-{uuid}")
    for name in names:
        handle = ask(nvml, "nvmlDeviceGetHandleByUUID", name)
        if handle is not None:
            return handle
    return None


def ask(nvml: Any, function: str, *arguments: Any) -> Any:
    """Return the answer of one function; None where this GPU, its driver or this nvidia-ml-py has none."""
    try:
        return getattr(nvml, function)(*arguments)
    except (AttributeError, nvml.NVMLError):
        return None


def our_processes() -> set[int]:
    """Return the process ids that are ours: this process, and those that it started."""
    import psutil

    return {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
