"""What can't be measured here for want of a tool, a counter or a folder."""

from collections.abc import Iterator
from typing import Final

from resbench.environment.doubts.doubt import Check, Doubt, Findings, note, warning
from resbench.environment.process import TOOLS


def packages(found: Findings) -> Iterator[Doubt]:
    """Say which packages are missing."""
    if missing := found.process.missing:
        wanted = " ".join(
            f'"{name}"' if "[" in name else name for name in dict.fromkeys(TOOLS[name] for name in missing)
        )
        yield note("packages", f"not installed: {', '.join(missing)}", f"pip install {wanted}")


def compiler(found: Findings) -> Iterator[Doubt]:
    """Say whether torch.compile can compile."""
    if found.gpu is not None and not found.process.has_triton:
        yield note(
            "compiler", "torch.compile can't make kernels for GPUs: triton is missing", "pip install triton"
        )
    if not found.process.compiler:
        yield note(
            "compiler",
            "torch.compile can't make kernels for the CPU: there is no C++ compiler",
            "install g++ (apt install g++), or set CXX to a compiler",
        )


def joules_of_cpu(found: Findings) -> Iterator[Doubt]:
    """Say whether the CPU's energy can be read."""
    if found.process.joules == "unreadable":
        yield note(
            "CPU energy",
            "the CPU's energy counter (RAPL) may be read by root only",
            "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj, until the next start",
        )
    elif found.process.joules == "absent":
        yield note(
            "CPU energy",
            "there is no energy counter of the CPU (RAPL): energy can't be measured, and resbench does not guess",
            "use bare metal with an Intel or AMD CPU and the kernel module intel_rapl_msr",
        )


def cache(found: Findings) -> Iterator[Doubt]:
    """Doubt a place that forgets."""
    if not found.process.cache_writable:
        yield warning(
            "cache",
            f"{found.process.cache} can't be written to: the roof of this machine is measured again each time",
            "set RESBENCH_CACHE to a folder that can",
        )


def noise(found: Findings) -> Iterator[Doubt]:
    """Say that nobody knows how much two equal measurements differ here."""
    if not found.noise_known:
        yield note(
            "noise floor",
            "how much a network differs from itself here was not measured: small ratios may be noise, and figures of different "
            "minutes are not brought to one pace",
            "resbench noise, with the same --device and --threads",
        )


CHECKS: Final[tuple[Check, ...]] = (packages, compiler, joules_of_cpu, cache, noise)
