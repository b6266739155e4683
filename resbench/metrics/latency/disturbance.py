"""What else the machine did while a block was measured: other programs, a hot CPU, a hot or a throttled GPU.

On a CPU the busy time of the cores in /proc/stat, less the CPU time of the measuring process, is other people's. A
disturbed block is measured again; one that stays disturbed is kept and marked, for it is all there is.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

STAT = Path("/proc/stat")
FOREIGN_CORES = 0.1
"""A block during which other programs kept more than this much of a core busy is disturbed."""
_HOT_C = 85.0
_HOT_CPU_C = 95.0
"""Of a GPU and of a CPU: beyond it they slow themselves down, or soon will."""
_IDLE_FIELDS = (3, 4)
"""Of a line of /proc/stat: idle and iowait."""
_GUEST_FIELDS = slice(0, 8)
"""user, nice, system, idle, iowait, irq, softirq, steal; guest time is already in user."""

Block = TypeVar("Block")


class GpuState(NamedTuple):
    """What a GPU says of itself.

    Attributes:
        foreign_processes: computing processes on it, without our own.
        clock_Hz: of the multiprocessors.
        slowed: reasons for which its clock is held back, but for being idle or at its power limit.
        power_limit_W: in force; None where it does not say.
    """

    foreign_processes: int
    clock_Hz: float
    temperature_C: float
    slowed: tuple[str, ...]
    power_limit_W: float | None


class CpuState(NamedTuple):
    """What a CPU says of itself; None for what it does not tell.

    Attributes:
        clock_Hz: mean of our cores.
        temperature_C: of its hottest sensor.
    """

    clock_Hz: float | None = None
    temperature_C: float | None = None


class CpuReader(Protocol):
    """Reads the state of the CPU."""

    def __call__(self) -> CpuState:
        """Return its state."""


class GpuReader(Protocol):
    """Reads the state of one GPU; `resbench.metrics.latency.nvml` has the real one."""

    def __call__(self) -> GpuState | None:
        """Return its state; None where it can't be read."""


class Reading(NamedTuple):
    """The machine at one moment.

    Attributes:
        at_s: on a monotonic clock.
        busy_s: seconds for which our cores were busy or stolen since the start of the system; None: unknown.
        load: running and waiting processes, mean over the last minute; None: unknown.
        gpu: None without one.
        cpu: clock and temperature.
    """

    at_s: float
    busy_s: float | None
    load: float | None
    gpu: GpuState | None
    cpu: CpuState = CpuState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What went on beside one block.

    Attributes:
        foreign_cores: mean number of our cores that were busy with something else; None: unknown.
        load: before the block.
        gpu: after the block; what it said before is among the reasons, too.
        cpu: before the block.
        reasons: why the block is disturbed, in words; empty where it is not.
    """

    foreign_cores: float | None
    load: float | None
    gpu: GpuState | None
    cpu: CpuState = field(default_factory=CpuState)
    reasons: tuple[str, ...] = ()

    @property
    def disturbed(self) -> bool:
        """Whether the block should be measured again."""
        return bool(self.reasons)


def read(
    cores: Sequence[int],
    gpu: GpuReader | None = None,
    clock: Callable[[], float] = time.perf_counter,
    stat: Path = STAT,
    cpu: CpuReader = CpuState,
) -> Reading:
    """Read the state of the machine now; what can't be read is None."""
    try:
        load = os.getloadavg()[0]
    except OSError:
        load = None
    state = gpu() if gpu is not None else None
    return Reading(clock(), busy_seconds(cores, stat), load, state, cpu())


def busy_seconds(cores: Sequence[int], stat: Path = STAT) -> float | None:
    """Return for how long these cores have been busy since the start of the system; None where it is not told."""
    try:
        lines = stat.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    names = {f"cpu{core}" for core in cores}
    ticks = 0
    found = False
    for name, *fields in (line.split() for line in lines if line.startswith("cpu")):
        if name in names:
            spent = [int(field) for field in fields[_GUEST_FIELDS]]
            ticks += sum(spent) - sum(spent[field] for field in _IDLE_FIELDS)
            found = True
    return ticks / os.sysconf("SC_CLK_TCK") if found and ticks else None


def surroundings(before: Reading, after: Reading, own_cpu_s: float) -> Surroundings:
    """Judge a block by the readings around it and the CPU seconds that were ours."""
    foreign = None
    passed = after.at_s - before.at_s
    if before.busy_s is not None and after.busy_s is not None and passed > 0:
        foreign = max(0.0, after.busy_s - before.busy_s - own_cpu_s) / passed
    reasons = []
    if foreign is not None and foreign > FOREIGN_CORES:
        reasons.append(f"other programs kept {foreign:.1f} cores busy")
    for reading in (before, after):
        reasons += [*_cpu_reasons(reading.cpu), *_gpu_reasons(reading.gpu)]
    return Surroundings(
        foreign_cores=foreign,
        load=before.load,
        gpu=after.gpu,
        cpu=before.cpu,
        reasons=tuple(dict.fromkeys(reasons)),
    )


def undisturbed(
    measure: Callable[[], tuple[Block, float]], look: Callable[[], Reading], *, again: int = 2
) -> list[tuple[Block, Surroundings]]:
    """Measure a block, and again while it is disturbed; return every attempt, in order.

    Args:
        measure: measures the block once, and returns it with the CPU seconds that it took of us.
        look: reads the state of the machine.
        again: attempts after the first.
    """
    attempts: list[tuple[Block, Surroundings]] = []
    for _ in range(1 + again):
        before = look()
        block, own_cpu_s = measure()
        attempts.append((block, surroundings(before, look(), own_cpu_s)))
        if not attempts[-1][1].disturbed:
            break
    return attempts


def calmest(attempts: Sequence[tuple[Block, Surroundings]]) -> tuple[Block, Surroundings]:
    """Return the undisturbed attempt, or else the least disturbed one, which stays marked."""
    return min(
        attempts,
        key=lambda attempt: (attempt[1].disturbed, attempt[1].foreign_cores or 0.0, len(attempt[1].reasons)),
    )


def _cpu_reasons(cpu: CpuState) -> list[str]:
    hot = cpu.temperature_C is not None and cpu.temperature_C >= _HOT_CPU_C
    return [f"the CPU is at {cpu.temperature_C:.0f} degrees"] if hot else []


def _gpu_reasons(gpu: GpuState | None) -> list[str]:
    if gpu is None:
        return []
    reasons = []
    if gpu.foreign_processes:
        plural = "es use" if gpu.foreign_processes > 1 else " uses"
        reasons.append(f"{gpu.foreign_processes} other process{plural} the GPU")
    if gpu.slowed:
        reasons.append(f"the GPU is held back: {', '.join(gpu.slowed)}")
    elif gpu.temperature_C >= _HOT_C:
        reasons.append(f"the GPU is at {gpu.temperature_C:.0f} degrees")
    return reasons
