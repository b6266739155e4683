"""What this process and its installation can do: the allocator's habit, a compiler, the optional tools, the counters."""

import ctypes
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import torch

from resbench.cache import cache_folder
from resbench.environment.cpu import ROOT, usable_cores
from resbench.environment.settings import denormals_are_flushed

TOOLS: Final = {
    "fvcore": "fvcore",
    "ptflops": "ptflops",
    "thop": "resbench[counters]",
    "torchinfo": "resbench[counters]",
    "onnx": "resbench[onnxruntime]",
    "onnxruntime": "resbench[onnxruntime]",
    "openvino": "resbench[openvino]",
}
"""Packages that some answers need, and what pip is asked for."""

_PROBE_B: Final = 64 * 2**20
"""Above 32 MiB, beyond which glibc never learns to keep memory by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What this process and its installation can do.

    Attributes:
        threads: that torch computes with.
        cores: that this process may use.
        physical_cores: of the machine; None: unknown.
        foreign_cores: mean number of cores that other programs kept busy just now; None: unknown.
        returned: share of its pages that a large block had to be given again when it was asked for a second time.
        debug_build: whether torch was built for its own developers.
        flushed: whether denormal numbers are flushed to zero.
        compiler: that torch.compile would find; empty without one.
        has_triton: whether the compiler of kernels for GPUs is installed.
        missing: packages of `TOOLS` that are not installed.
        joules: "readable", "unreadable" or "absent": the CPU's energy counter (RAPL).
        cache: resbench's folder for what is drawn and measured once.
        cache_writable: whether it can be written to.
        torch_cuda: the CUDA that torch is built with: (13, 2); None without.
    """

    threads: int
    cores: int
    physical_cores: int | None = None
    foreign_cores: float | None = None
    returned: float | None = None
    debug_build: bool = False
    flushed: bool = False
    compiler: str = ""
    has_triton: bool = False
    missing: tuple[str, ...] = ()
    joules: str = "absent"
    cache: str = ""
    cache_writable: bool = True
    torch_cuda: tuple[int, int] | None = None


def read_process(foreign_cores: float | None = None, root: Path = ROOT) -> ProcessState:
    """Read it now. A block of 64 MiB is allocated and touched, twice: not for a process whose memory is measured.

    Args:
        foreign_cores: where it was measured: this module measures no load.
        root: where `sys` is.
    """
    import psutil

    folder = cache_folder()
    return ProcessState(
        threads=torch.get_num_threads(),
        cores=len(usable_cores()),
        physical_cores=psutil.cpu_count(logical=False),
        foreign_cores=foreign_cores,
        returned=returned_share(),
        debug_build=bool(torch.version.debug) or "BUILD_TYPE=Debug" in torch.__config__.show(),
        flushed=denormals_are_flushed(),
        compiler=_compiler(),
        has_triton=find_spec("triton") is not None,
        missing=tuple(name for name in TOOLS if find_spec(name) is None),
        joules=_joules(root),
        cache=str(folder),
        cache_writable=_writable(folder),
        torch_cuda=_version(torch.version.cuda),
    )


def returned_share(faults: Callable[[], int] | None = None) -> float | None:
    """Return which share of a large block's pages the kernel has to give anew when it is freed and asked for again.

    Near 1: the allocator gives memory back at once, and each forward pass pays for it. Near 0: it keeps it. None: this
    system does not tell.

    Args:
        faults: counts this process's page faults so far.
    """
    try:
        import resource

        library = ctypes.CDLL(None)
        allocate, free = library.posix_memalign, library.free
    except (ImportError, OSError, AttributeError):
        return None
    free.argtypes = (ctypes.c_void_p,)
    count = faults or (lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    again = 0
    for _ in range(2):
        block = ctypes.c_void_p()
        before = count()
        # The call, and the alignment, by which torch asks for a tensor's memory.
        if allocate(ctypes.byref(block), ctypes.c_size_t(64), ctypes.c_size_t(_PROBE_B)):
            return None
        ctypes.memset(block, 1, _PROBE_B)
        again = count() - before
        free(block)
    return min(1.0, again / (_PROBE_B / os.sysconf("SC_PAGE_SIZE")))


def _compiler() -> str:
    """Return the C++ compiler that inductor would take: `CXX`, or the first there is."""
    wanted = os.environ.get("CXX")
    names = (wanted,) if wanted else ("g++", "clang++", "c++")
    return next((name for name in names if shutil.which(name)), "")


def _joules(root: Path) -> str:
    counters = list((root / "sys/class/powercap").glob("intel-rapl*/energy_uj"))
    if not counters:
        return "absent"
    return "readable" if any(os.access(counter, os.R_OK) for counter in counters) else "unreadable"


def _writable(folder: Path) -> bool:
    """Return whether the folder can be written to, or could be made."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK)


def _version(said: str | None) -> tuple[int, int] | None:
    if not said:
        return None
    major, _, minor = said.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)
