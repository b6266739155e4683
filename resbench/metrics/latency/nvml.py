"""The state of an NVIDIA GPU through NVML (nvidia-ml-py, where it is installed)."""

from collections.abc import Callable
from typing import Any

from resbench.metrics.latency.disturbance import GpuState
from resbench.models.nvml import find_nvml, handle_of, our_processes

# nvml.h: nvmlClocksEventReason...; being idle and the power cap are the normal life of a GPU under load.
SLOWED = {
    0x0000000000000008: "hardware slowdown",
    0x0000000000000020: "too hot (software)",
    0x0000000000000040: "too hot (hardware)",
    0x0000000000000080: "power brake",
}


def reader(uuid: str, nvml: Any = None) -> Callable[[], GpuState | None] | None:
    """Return what reads the state of the GPU `uuid` ("GPU-..."), or None where NVML is not to be had.

    Args:
        uuid: as torch and NVML both know it: indices differ where CUDA_VISIBLE_DEVICES is set.
        nvml: the module, for a test; else pynvml.
    """
    nvml = nvml or find_nvml()
    if nvml is None:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    handle = handle_of(nvml, uuid)
    return None if handle is None else lambda: _state(nvml, handle)


def _state(nvml: Any, handle: Any) -> GpuState | None:
    try:
        ours = our_processes()
        foreign = [
            process
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
            if process.pid not in ours
        ]
        reasons = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
        return GpuState(
            foreign_processes=len(foreign),
            clock_Hz=1e6 * nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
            temperature_C=float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
            slowed=tuple(words for bit, words in SLOWED.items() if reasons & bit),
            power_limit_W=_power_limit(nvml, handle),
        )
    except nvml.NVMLError:
        return None


def _power_limit(nvml: Any, handle: Any) -> float | None:
    try:
        return float(nvml.nvmlDeviceGetEnforcedPowerLimit(handle)) / 1e3
    except nvml.NVMLError:
        return None
