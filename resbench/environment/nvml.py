"""What an NVIDIA GPU says of itself at this moment, through NVML (nvidia-ml-py, the extra `nvidia`)."""

from dataclasses import dataclass
from typing import Any, Final

from resbench.models.nvml import ask, find_nvml, handle_of, opened, our_processes

REASONS: Final = {
    0x002: "application clocks",
    0x004: "power cap",
    0x008: "hardware slowdown",
    0x010: "sync boost",
    0x020: "heat (software)",
    0x040: "heat (hardware)",
    0x080: "power brake",
    0x100: "display clocks",
}
"""Bits of nvmlClocksEventReasons; 1, idle, is not one that holds anything back."""

MISSING: Final = "nvidia-ml-py is not installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuState:
    """The state of one GPU; None and empty stand for what it does not tell.

    Attributes:
        driver_cuda: newest CUDA that the driver knows: (13, 2).
        other_processes: computing on it, without our own.
        load: share of the last second in which something ran.
        mig: whether it is, or is cut into, instances.
        held_back: why its clock is lower than it could be.
        clock_Hz, highest_clock_Hz: of the multiprocessors.
        power_limit_W, default_power_limit_W: in force, and as delivered.
        memory_free_B: also without what other processes took.
        persistence: whether the driver stays loaded when nothing runs.
        has_energy_counter: whether it counts joules.
    """

    driver_cuda: tuple[int, int] | None = None
    other_processes: int | None = None
    load: float | None = None
    mig: bool = False
    held_back: tuple[str, ...] = ()
    temperature_C: float | None = None
    clock_Hz: float | None = None
    highest_clock_Hz: float | None = None
    power_limit_W: float | None = None
    default_power_limit_W: float | None = None
    memory_free_B: int | None = None
    persistence: bool | None = None
    has_energy_counter: bool = False


def read_gpu(uuid: str, nvml: Any = None) -> GpuState | str:
    """Return the state of a GPU, or why there is none to be had, in words.

    Args:
        uuid: as torch or NVML gives it, with or without "GPU-": indices differ where CUDA_VISIBLE_DEVICES is set.
        nvml: the module `pynvml`, or a fake of it.
    """
    library = nvml or find_nvml()
    if library is None:
        return MISSING
    try:
        with opened(library):
            handle = handle_of(library, uuid)
            return "NVML knows no GPU of this UUID" if handle is None else _state(library, handle)
    except library.NVMLError as error:
        return f"NVML: {error}"


def _state(nvml: Any, handle: Any) -> GpuState:
    def of(function: str, *arguments: Any) -> Any:
        return ask(nvml, f"nvmlDevice{function}", handle, *arguments)

    cuda = ask(nvml, "nvmlSystemGetCudaDriverVersion")
    processes = of("GetComputeRunningProcesses")
    memory, use = of("GetMemoryInfo"), of("GetUtilizationRates")
    temperature = of("GetTemperature", 0)
    return GpuState(
        driver_cuda=None if cuda is None else (cuda // 1000, cuda % 1000 // 10),
        other_processes=None if processes is None else _foreign(processes),
        load=None if use is None else use.gpu / 100,
        mig=bool(of("IsMigDeviceHandle")) or bool((of("GetMigMode") or (0,))[0]),
        held_back=_reasons(of("GetCurrentClocksThrottleReasons")),
        temperature_C=None if temperature is None else float(temperature),
        clock_Hz=_times(1e6, of("GetClockInfo", _MULTIPROCESSORS)),
        highest_clock_Hz=_times(1e6, of("GetMaxClockInfo", _MULTIPROCESSORS)),
        power_limit_W=_times(1e-3, of("GetEnforcedPowerLimit")),
        default_power_limit_W=_times(1e-3, of("GetPowerManagementDefaultLimit")),
        memory_free_B=None if memory is None else int(memory.free),
        persistence=_flag(of("GetPersistenceMode")),
        has_energy_counter=of("GetTotalEnergyConsumption") is not None,
    )


_MULTIPROCESSORS: Final = 1
"""NVML_CLOCK_SM."""


def _reasons(bits: int | None) -> tuple[str, ...]:
    return tuple(words for bit, words in REASONS.items() if (bits or 0) & bit)


def _times(factor: float, found: int | None) -> float | None:
    return None if found is None else found * factor


def _flag(found: int | None) -> bool | None:
    return None if found is None else bool(found)


def _foreign(processes: list[Any]) -> int:
    """Count the processes that are neither this one nor started by it."""
    return len({process.pid for process in processes} - our_processes())
