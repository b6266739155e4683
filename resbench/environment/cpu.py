"""The stable facts of a CPU: its name, cores, caches, and the instructions that decide how fast networks run."""

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

from resbench.environment.files import content

ROOT: Final = Path("/")
"""Where `proc` and `sys` are."""

INSTRUCTIONS: Final = {
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx512_vnni": "AVX512-VNNI",
    "avx512_bf16": "AVX512-BF16",
    "avx512_fp16": "AVX512-FP16",
    "amx_bf16": "AMX-BF16",
    "amx_int8": "AMX-INT8",
    "asimd": "NEON",
    "sve": "SVE",
    "sve2": "SVE2",
    "bf16": "BF16",
    "i8mm": "I8MM",
}
"""Linux's name of a flag, and ours; the others of a CPU's hundred flags do not matter to convolutions."""


def cpu_facts(root: Path = ROOT) -> dict[str, str]:
    """Return what a CPU is; a fact that the system does not tell is left out."""
    info = content(root / "proc/cpuinfo")
    facts = {
        "cpu": _model(info),
        "cores": str(len(usable_cores())),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{_system()}, {platform.machine()}",
        "cores of the machine": _cores_of_the_machine(),
        "cpu revision": _revision(info),
        "instructions": ", ".join(instructions(info)),
        "caches": _caches(root / "sys/devices/system/cpu/cpu0/cache"),
    }
    return {name: value for name, value in facts.items() if value}


def usable_cores() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may use: a container or taskset can grant fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def ranges(cores: Iterable[int]) -> str:
    """Return numbers of cores in short: "0-3, 8"."""
    found: list[list[int]] = []
    for core in sorted(cores):
        if found and core == found[-1][-1] + 1:
            found[-1].append(core)
        else:
            found.append([core])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in found)


def instructions(info: str) -> tuple[str, ...]:
    """Return the instruction sets of `INSTRUCTIONS` that /proc/cpuinfo lists, by our names."""
    listed = {flag for name in ("flags", "Features") for flag in _entry(info, name).split()}
    return tuple(ours for flag, ours in INSTRUCTIONS.items() if flag in listed)


def is_virtual(info: str) -> bool:
    """Return whether /proc/cpuinfo says that a hypervisor stands between us and the CPU."""
    return "hypervisor" in _entry(info, "flags").split()


def _model(info: str) -> str:
    """Linux names the CPU in /proc/cpuinfo (not on every ARM board); elsewhere the platform module does."""
    return _entry(info, "model name") or platform.processor() or platform.machine() or "unknown CPU"


def _revision(info: str) -> str:
    """Return family, model and stepping: virtual machines of several generations may share one name."""
    numbers = [(name, _entry(info, f"cpu {name}" if name == "family" else name)) for name in _REVISION]
    return ", ".join(f"{name} {value}" for name, value in numbers if value)


_REVISION: Final = ("family", "model", "stepping")


def _entry(info: str, wanted: str) -> str:
    """Return the value of the first line of that name, its white space made even."""
    found = re.search(rf"^{re.escape(wanted)}[ \t]*:(.*)$", info, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def _cores_of_the_machine() -> str:
    physical, logical = psutil.cpu_count(logical=False), psutil.cpu_count()
    counts = ((physical, "physical"), (logical, "logical"))
    return ", ".join(f"{count} {kind}" for count, kind in counts if count)


def _caches(folder: Path) -> str:
    """Return the data caches that the first core sees: "L1 32 KiB, L2 1024 KiB, L3 32768 KiB"."""
    found = []
    for index in sorted(folder.glob("index*")):
        level, size = content(index / "level"), content(index / "size")
        if level and size and content(index / "type") != "Instruction":
            found.append(f"L{level} {re.sub('K$', ' KiB', size)}")
    return ", ".join(found)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"
