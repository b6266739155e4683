"""What NVML says, from a made-up one."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from resbench.environment.nvml import MISSING, GpuState, read_gpu
from resbench.environment.state import gpu_state

UUID = "0a1b2c3d-0000-1111-2222-333344445555"


class NVMLError(Exception):
    """What pynvml raises for everything."""


class FakeNvml:
    """Answers by the names of NVML's functions; one without an answer is not supported."""

    NVMLError = NVMLError

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"nvmlDeviceGetHandleByUUID": {f"GPU-{UUID}": "the handle"}} | answers
        self.open = 0

    def __getattr__(self, name: str) -> Any:
        if name not in self.answers:
            return self._refuse
        answer = self.answers[name]

        def function(*arguments: Any) -> Any:
            assert self.open == 1
            if name.startswith("nvmlDevice") and name != "nvmlDeviceGetHandleByUUID":
                assert arguments[0] == "the handle"
            if isinstance(answer, dict):
                if arguments[-1] not in answer:
                    raise NVMLError("Not Found")
                return answer[arguments[-1]]
            return answer

        return function

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802 - NVML's name
        self.open -= 1

    def _refuse(self, *_arguments: Any) -> Any:
        raise NVMLError("Not Supported")


def everything(**others: Any) -> FakeNvml:
    answers = {
        "nvmlSystemGetCudaDriverVersion": 13020,
        "nvmlDeviceGetComputeRunningProcesses": [
            SimpleNamespace(pid=os.getpid()),
            SimpleNamespace(pid=2**22 + 1),
        ],
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=37, memory=5),
        "nvmlDeviceGetMemoryInfo": SimpleNamespace(free=3 * 2**30, total=2**34, used=1),
        "nvmlDeviceGetMigMode": [0, 0],
        "nvmlDeviceIsMigDeviceHandle": 0,
        "nvmlDeviceGetCurrentClocksThrottleReasons": 0x1 | 0x4 | 0x40,
        "nvmlDeviceGetTemperature": {0: 71},
        "nvmlDeviceGetClockInfo": {1: 1410, 0: 1},
        "nvmlDeviceGetMaxClockInfo": {1: 1980},
        "nvmlDeviceGetEnforcedPowerLimit": 250_000,
        "nvmlDeviceGetPowerManagementDefaultLimit": 300_000,
        "nvmlDeviceGetPersistenceMode": 1,
        "nvmlDeviceGetTotalEnergyConsumption": 123_456_789,
    }
    return FakeNvml(**{**answers, **others})


def test_all_that_a_gpu_tells() -> None:
    nvml = everything()
    assert read_gpu(UUID, nvml) == GpuState(
        driver_cuda=(13, 2),
        other_processes=1,
        load=0.37,
        mig=False,
        held_back=("power cap", "heat (hardware)"),
        temperature_C=71.0,
        clock_Hz=1410e6,
        highest_clock_Hz=1980e6,
        power_limit_W=250.0,
        default_power_limit_W=300.0,
        memory_free_B=3 * 2**30,
        persistence=True,
        has_energy_counter=True,
    )
    assert nvml.open == 0


def test_a_gpu_that_tells_nothing_is_a_state_all_the_same() -> None:
    assert read_gpu(UUID, FakeNvml()) == GpuState()


@pytest.mark.parametrize(("function", "answer"), [("GetMigMode", [1, 1]), ("IsMigDeviceHandle", 1)])
def test_instances(function: str, answer: Any) -> None:
    found = read_gpu(UUID, everything(**{f"nvmlDevice{function}": answer}))
    assert isinstance(found, GpuState)
    assert found.mig


@pytest.mark.parametrize("name", [f"GPU-{UUID}", f"MIG-{UUID}"])
def test_torch_leaves_the_prefix_out(name: str) -> None:
    nvml = FakeNvml(nvmlDeviceGetHandleByUUID={name: "the handle"})
    assert isinstance(read_gpu(UUID, nvml), GpuState)
    assert isinstance(read_gpu(name, nvml), GpuState)


def test_why_there_is_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_gpu("another", FakeNvml()) == "NVML knows no GPU of this UUID"
    broken = FakeNvml()

    def fail() -> None:
        raise NVMLError("Driver Not Loaded")

    monkeypatch.setattr(broken, "nvmlInit", fail)
    assert read_gpu(UUID, broken) == "NVML: Driver Not Loaded"
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert read_gpu(UUID) == MISSING


def test_the_state_in_words() -> None:
    found = read_gpu(UUID, everything())
    assert isinstance(found, GpuState)
    assert gpu_state(found) == {
        "gpu load": "37.0 %",
        "gpu clock": "1.41 GHz",
        "gpu temperature": "71 degrees C",
        "gpu memory free": "3.0 GiB",
        "gpu power limit": "250 W",
        "gpu clock held back by": "power cap, heat (hardware)",
        "gpu processes of others": "1",
        "gpu instances (MIG)": "no",
        "gpu persistence mode": "on",
        "gpu energy counter": "yes",
    }
    assert gpu_state(GpuState()) == {
        "gpu clock held back by": "nothing",
        "gpu instances (MIG)": "no",
        "gpu energy counter": "no",
    }


def test_the_real_module_has_the_functions_we_ask() -> None:
    pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    asked = {name for name in everything().answers if name.startswith("nvml")}
    assert not [name for name in asked if not hasattr(pynvml, name)]
