"""How much memory is in use now, and how much was at most: of this process, or of CUDA's allocator."""

import ctypes
import gc
from pathlib import Path
from typing import Final, Protocol

import torch

from resbench.errors import ResbenchError

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")

_M_MMAP_THRESHOLD: Final = -3
"""malloc.h of the GNU C library."""

_OWN_PAGES_B: Final = 2**16
"""From this size on a block has pages of its own, which freeing gives back."""


class Meter(Protocol):
    """Reads memory in bytes."""

    method: str

    def now(self) -> int:
        """Return what is in use."""

    def reset_peak(self) -> None:
        """Let the peak start at what is in use."""

    def peak(self) -> int:
        """Return the most that was in use."""


class ProcessMeter:
    """Resident memory of this process (Linux)."""

    method = "growth of a fresh process"

    def now(self) -> int:
        """Return what is resident, once freed heap is given back."""
        give_back()
        return resident("VmRSS")

    def reset_peak(self) -> None:
        """Let the peak start at what is resident."""
        give_back()
        # Writing 5 resets the peak to what is resident now.
        _CLEAR.write_text("5", encoding="ascii")

    def peak(self) -> int:
        """Return the most that was resident."""
        return resident("VmHWM")


class CudaMeter:
    """Bytes that PyTorch's allocator has handed out on a GPU; what it holds in reserve does not count."""

    method = "CUDA allocator"

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now(self) -> int:
        """Return the bytes of all tensors that are alive."""
        torch.cuda.synchronize(self.device)
        return torch.cuda.memory_allocated(self.device)

    def reset_peak(self) -> None:
        """Let the peak start at what is alive."""
        torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """Return the most that was alive."""
        torch.cuda.synchronize(self.device)
        return torch.cuda.max_memory_allocated(self.device)


def return_memory() -> bool:
    """Let this process give freed blocks back to the system at once, for the rest of its life; False where it can't be told to.

    The GNU C library does so for large blocks only, and raises what it calls large to 32 MiB as blocks are freed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES_B) == 1


def give_back() -> None:
    """Return freed heap to the system: reused, it would hide part of the growth."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)


def resident(field: str) -> int:
    """Return a field of this process's status in bytes: VmRSS (resident now) or VmHWM (its peak).

    Raises:
        ResbenchError: the system is no Linux.
    """
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise ResbenchError(f"the peak of a process is read from {_STATUS}, which only Linux has") from error
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(values[field].split()[0]) * 1024
