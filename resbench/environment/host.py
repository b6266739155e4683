"""The state of the machine at this moment: what changes while it runs, and changes what is measured."""

import re
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import psutil

from resbench.environment.cgroups import quota_cores
from resbench.environment.cpu import ROOT, is_virtual, usable_cores
from resbench.environment.files import content, number

_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """The state of the CPU's side; None and empty stand for what the system does not tell.

    Attributes:
        load: processes that run or want to, mean of the last minute.
        waiting: share of the last 10 s in which some process waited for a core (Linux's pressure).
        stolen: share of the time since the start in which the hypervisor ran something else on our cores.
        governor: of the clock: "performance", "powersave"; several with a slash between them.
        turbo: whether the clock may rise above its nominal value.
        clock_Hz: mean of the usable cores.
        highest_clocks_Hz: of the usable cores, each value once: more than one means fast and slow cores.
        temperature_C: the hottest sensor of the CPU.
        on_battery: False without a battery.
        memory_available_B: without swapping.
        swap_used_B: of memory that was moved to disk.
        quota_cores: CPU time that this container may use, in cores; None: unlimited.
        hypervisor: its name, or "unnamed"; empty on bare metal.
        huge_pages: "always", "madvise" or "never".
        nodes: NUMA nodes.
    """

    load: float | None = None
    waiting: float | None = None
    stolen: float | None = None
    governor: str = ""
    turbo: bool | None = None
    clock_Hz: float | None = None
    highest_clocks_Hz: tuple[float, ...] = ()
    temperature_C: float | None = None
    on_battery: bool = False
    memory_available_B: int = 0
    swap_used_B: int = 0
    quota_cores: float | None = None
    hypervisor: str = ""
    huge_pages: str = ""
    nodes: int = 1


def read_host(root: Path = ROOT) -> HostState:
    """Read the state now."""
    cpus = root / _CPUS
    return HostState(
        load=_load(root),
        waiting=_waiting(root),
        stolen=_stolen(root),
        governor="/".join(sorted(set(_of_cores(cpus, "scaling_governor")))),
        turbo=_turbo(cpus),
        clock_Hz=_clock(cpus),
        highest_clocks_Hz=tuple(
            sorted({1e3 * float(found) for found in _of_cores(cpus, "cpuinfo_max_freq")})
        ),
        temperature_C=_temperature(root),
        on_battery=_on_battery(root),
        memory_available_B=psutil.virtual_memory().available,
        swap_used_B=_swap_used(root),
        quota_cores=quota_cores(root),
        hypervisor=_hypervisor(root),
        huge_pages=_chosen(content(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        nodes=max(1, len(list((root / "sys/devices/system/node").glob("node[0-9]*")))),
    )


def clock_and_heat(root: Path = ROOT) -> tuple[float | None, float | None]:
    """Return the mean clock of the usable cores in Hz, and the CPU's hottest sensor in degrees C; None for what is not told."""
    return _clock(root / _CPUS), _temperature(root)


def _load(root: Path) -> float | None:
    said = content(root / "proc/loadavg").split()
    return float(said[0]) if said else None


def _waiting(root: Path) -> float | None:
    found = re.search(r"^some avg10=([\d.]+)", content(root / "proc/pressure/cpu"))
    return float(found[1]) / 100 if found else None


def _stolen(root: Path) -> float | None:
    line = content(root / "proc/stat").partition("\n")[0].split()
    # user, nice, system, idle, iowait, irq, softirq, steal; guest time is already in user.
    ticks = [int(field) for field in line[1:9]]
    whole = sum(ticks)
    return ticks[7] / whole if len(ticks) == 8 and whole else None


def _of_cores(cpus: Path, name: str) -> list[str]:
    found = (content(cpus / f"cpu{core}/cpufreq/{name}") for core in usable_cores())
    return [text for text in found if text]


def _turbo(cpus: Path) -> bool | None:
    """Intel's driver says whether it is off, the others whether it is on."""
    if (off := number(content(cpus / "intel_pstate/no_turbo"))) is not None:
        return not off
    on = number(content(cpus / "cpufreq/boost"))
    return None if on is None else bool(on)


def _clock(cpus: Path) -> float | None:
    clocks = [1e3 * float(found) for found in _of_cores(cpus, "scaling_cur_freq")]
    return fmean(clocks) if clocks else None


def _temperature(root: Path) -> float | None:
    """Return the highest that a CPU's sensor shows: coretemp is Intel's, k10temp AMD's."""
    hottest: list[float] = []
    for sensor in (root / "sys/class/hwmon").glob("hwmon*"):
        if content(sensor / "name") in ("coretemp", "k10temp", "zenpower", "cpu_thermal"):
            milli = (number(content(file)) for file in sensor.glob("temp*_input"))
            hottest += [value / 1000 for value in milli if value is not None]
    return max(hottest, default=None)


def _on_battery(root: Path) -> bool:
    supplies = list((root / "sys/class/power_supply").glob("*"))
    mains = [content(supply / "online") for supply in supplies if content(supply / "type") == "Mains"]
    return bool(mains) and "1" not in mains


def _swap_used(root: Path) -> int:
    said = content(root / "proc/meminfo")
    total, free = (
        re.search(rf"^{name}:\s+(\d+) kB", said, re.MULTILINE) for name in ("SwapTotal", "SwapFree")
    )
    return 1024 * (int(total[1]) - int(free[1])) if total and free else 0


def _hypervisor(root: Path) -> str:
    if not is_virtual(content(root / "proc/cpuinfo")):
        return ""
    return content(root / "sys/class/dmi/id/sys_vendor") or content(root / "sys/hypervisor/type") or "unnamed"


def _chosen(said: str) -> str:
    """Return the choice in brackets of "always [madvise] never"."""
    found = re.search(r"\[(\w+)\]", said)
    return found[1] if found else ""
