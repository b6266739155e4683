"""What the C library does with memory that is freed: gives it back to the system, or keeps it for the next call.

A forward pass of resnet50 at batch 32 frees and takes hundreds of MiB; the system clears every page that it hands out
again. A process that keeps its memory runs such a pass more than twice as fast, and its peak of memory is higher.
"""

import ctypes
import os
import platform
from pathlib import Path
from typing import Final

from resbench.errors import ResbenchError, UsageError, unknown

SYSTEM: Final = "system"
KEEP: Final = "keep"
ALLOCATORS: Final = (SYSTEM, KEEP)

# malloc.h of the GNU C library
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_MAX: Final = -4
_KEPT_B: Final = 2**30
_GROWTH_B: Final = 64 * 2**20


def set_allocator(mode: str) -> str:
    """Set how this process keeps memory, for the rest of its life, and return that in words for the record.

    Args:
        mode: `system`: as the C library does of itself; `keep`: freed memory stays with the process (up to 1 GiB at the
            end of the heap), and large tensors lie in the heap like small ones. Call it before the first tensor.

    Raises:
        UsageError: there is no such mode, or it is for the GNU C library and this is another.
    """
    if mode not in ALLOCATORS:
        raise unknown("allocator", mode, ALLOCATORS)
    libraries = preloaded()
    replaced = f", {' and '.join(libraries)} preloaded" if libraries else ""
    if mode == SYSTEM:
        return f"system: freed memory as the C library handles it{replaced}"
    library, version = platform.libc_ver()
    if library != "glibc":
        raise UsageError("allocator 'keep' needs the GNU C library, which this is not: use 'system'")
    _tell_glibc()
    return f"keep: mmap off, trim at {_KEPT_B} B, pad {_GROWTH_B} B (glibc {version}){replaced}"


def preloaded() -> list[str]:
    """Return the libraries of LD_PRELOAD by their names alone: a folder may name a person."""
    return [Path(library).name for library in os.environ.get("LD_PRELOAD", "").replace(":", " ").split()]


def _tell_glibc() -> None:
    mallopt = ctypes.CDLL(None).mallopt
    for parameter, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _KEPT_B), (_M_TOP_PAD, _GROWTH_B)):
        if mallopt(parameter, value) != 1:
            raise ResbenchError(
                f"the C library refused mallopt({parameter}, {value}): use allocator 'system'"
            )
