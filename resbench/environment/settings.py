"""What is set in this process that decides its speed or its last digits: threads, rounding, determinism, allocators."""

import os
import platform
from typing import Any, Final

import torch

from resbench.environment.cpu import ranges, usable_cores
from resbench.models.allocator import preloaded

ALLOCATOR_VARIABLES: Final = (
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_CONF",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_NO_CUDA_MEMORY_CACHING",
    "THP_MEM_ALLOC_ENABLE",
)
THREAD_VARIABLES: Final = (
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "OMP_WAIT_POLICY",
)
LIBRARY_VARIABLES: Final = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_LAUNCH_BLOCKING",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
)
_TINY: Final = 1e-40
"""A float32 below the smallest normal one, 1.18e-38."""


def settings_of(device: torch.device) -> dict[str, str]:
    """Return the settings, those of the environment's variables that are set among them."""
    found = {
        "threads": str(torch.get_num_threads()),
        "interop threads": str(torch.get_num_interop_threads()),
        "affinity": f"cores {ranges(usable_cores())}",
        "deterministic algorithms": _yes(torch.are_deterministic_algorithms_enabled()),
        **rounding_of(device),
        "denormal numbers": "flushed to zero" if denormals_are_flushed() else "kept",
        "allocator": allocator(),
    }
    return found | (_of_gpu() if device.type == "cuda" else {}) | variables()


def rounding_of(device: torch.device) -> dict[str, str]:
    """Return how float32 is rounded in this process at this moment: a process that measures may have it otherwise."""
    libraries: Any = torch.backends
    products, convolutions = (
        (libraries.cuda.matmul, libraries.cudnn.conv)
        if device.type == "cuda"
        else (libraries.mkldnn.matmul, libraries.mkldnn.conv)
    )
    return {
        "float32 products": _rounding(products.fp32_precision),
        "float32 convolutions": _rounding(convolutions.fp32_precision),
    }


def variables() -> dict[str, str]:
    """Return the variables that are set and matter. Of libraries only the names: a folder may name a person."""
    names = (*ALLOCATOR_VARIABLES, *THREAD_VARIABLES, *LIBRARY_VARIABLES)
    found = {name: value for name in names if (value := os.environ.get(name))}
    if "LD_PRELOAD" in found:
        found["LD_PRELOAD"] = " ".join(preloaded())
    return found


def allocator() -> str:
    """Return which library gives the CPU's memory, as it comes: "glibc 2.36"."""
    for name in preloaded():
        library = name.partition(".")[0]
        if any(known in library for known in ("jemalloc", "tcmalloc", "mimalloc")):
            return library.removeprefix("lib")
    library, version = platform.libc_ver()
    return f"{library} {version}".strip() or "the system's"


def denormals_are_flushed() -> bool:
    """Return whether this thread computes with zero in place of denormal numbers."""
    return float(torch.tensor(_TINY) * 1.0) == 0.0


def _of_gpu() -> dict[str, str]:
    cudnn: Any = torch.backends.cudnn
    return {
        "cudnn.benchmark": _yes(cudnn.benchmark),
        "cudnn.deterministic": _yes(cudnn.deterministic),
        "CUDA allocator": torch.cuda.get_allocator_backend(),
    }


def _rounding(precision: str) -> str:
    """Torch's "none" and "ieee" both leave float32 as it is."""
    return "not rounded" if precision in ("none", "ieee") else f"rounded to {precision}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
