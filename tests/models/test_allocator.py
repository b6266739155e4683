import platform
import subprocess
import sys

import pytest

from resbench.errors import UsageError
from resbench.models import allocator

GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")

FAULTS = """
import resource, sys, torch
from resbench.models.allocator import set_allocator
set_allocator(sys.argv[1])
for _ in range(40):
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", FAULTS, mode], text=True))


@GLIBC
def test_kept_memory_is_not_asked_for_again() -> None:
    """Ten tensors of 64 MiB, one after the other: the system hands out each of their pages (of up to 2 MiB) anew."""
    assert faults("system") >= 10 * 64 / 2
    assert faults("keep") < 10


def test_the_system_s_way_changes_nothing_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_tell_glibc", lambda: pytest.fail("it was told"))
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    assert allocator.set_allocator("system") == "system: freed memory as the C library handles it"
    monkeypatch.setenv("LD_PRELOAD", "/home/someone/lib/libjemalloc.so.2:libx.so")
    assert allocator.set_allocator("system").endswith("handles it, libjemalloc.so.2 and libx.so preloaded")


def test_another_c_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with pytest.raises(UsageError, match="allocator 'keep' needs the GNU C library"):
        allocator.set_allocator("keep")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown allocator 'kept': did you mean keep"):
        allocator.set_allocator("kept")
