"""The state of host and GPU in words, for the record. The names of what changes all the time are `results.READINGS`."""

from resbench.environment.host import HostState
from resbench.environment.nvml import GpuState
from resbench.units import percent


def host_state(host: HostState) -> dict[str, str]:
    """Return the host's state; what the system does not tell is left out."""
    turbo = {None: "", True: "on", False: "off"}[host.turbo]
    found = {
        "load": "" if host.load is None else f"{host.load:.2f}",
        "waiting for a core": _share(host.waiting),
        "stolen time": _share(host.stolen),
        "governor": host.governor,
        "turbo": turbo,
        "clock": _clock(host.clock_Hz),
        "temperature": _degrees(host.temperature_C),
        "power": "battery" if host.on_battery else "",
        "memory available": _gibibytes(host.memory_available_B),
        "swap used": _gibibytes(host.swap_used_B),
        "CPU quota": "" if host.quota_cores is None else f"{host.quota_cores:g} cores",
        "hypervisor": host.hypervisor or "none",
        "transparent huge pages": host.huge_pages,
        "NUMA nodes": str(host.nodes),
    }
    return {name: value for name, value in found.items() if value}


def gpu_state(gpu: GpuState) -> dict[str, str]:
    """Return the GPU's state; what it does not tell is left out."""
    persistence = {None: "", True: "on", False: "off"}[gpu.persistence]
    found = {
        "gpu load": _share(gpu.load),
        "gpu clock": _clock(gpu.clock_Hz),
        "gpu temperature": _degrees(gpu.temperature_C),
        "gpu memory free": "" if gpu.memory_free_B is None else _gibibytes(gpu.memory_free_B),
        "gpu power limit": "" if gpu.power_limit_W is None else f"{gpu.power_limit_W:.0f} W",
        "gpu clock held back by": ", ".join(gpu.held_back) or "nothing",
        "gpu processes of others": "" if gpu.other_processes is None else str(gpu.other_processes),
        "gpu instances (MIG)": "yes" if gpu.mig else "no",
        "gpu persistence mode": persistence,
        "gpu energy counter": "yes" if gpu.has_energy_counter else "no",
    }
    return {name: value for name, value in found.items() if value}


def _share(share: float | None) -> str:
    return "" if share is None else percent(share, 1)


def _clock(clock_Hz: float | None) -> str:
    return "" if clock_Hz is None else f"{clock_Hz / 1e9:.2f} GHz"


def _degrees(temperature_C: float | None) -> str:
    return "" if temperature_C is None else f"{temperature_C:.0f} degrees C"


def _gibibytes(size_B: int) -> str:
    return f"{size_B / 2**30:.1f} GiB"
