"""What else the machine did, read from written files and a fake NVML."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resbench.metrics.latency import nvml
from resbench.metrics.latency.disturbance import (
    CpuState,
    GpuState,
    Reading,
    busy_seconds,
    calmest,
    read,
    surroundings,
    undisturbed,
)

STAT = """cpu  400 100 200 9000 50 5 15 30 70 0
cpu0 300 100 100 4000 25 0 10 20 70 0
cpu1 100 0 100 5000 25 5 5 10 0 0
intr 12 0 0
"""
CALM = GpuState(0, 1.7e9, 60.0, (), 300.0)


def written(folder: Path, text: str) -> Path:
    path = folder / "stat"
    path.write_text(text, encoding="ascii")
    return path


def at(second: float, busy: float | None, gpu: GpuState | None = None) -> Reading:
    return Reading(second, busy, 0.5, gpu)


def test_busy_is_all_but_idle_and_waiting_and_counts_no_guest_twice(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = written(tmp_path, STAT)
    assert busy_seconds([0], stat) == (300 + 100 + 100 + 0 + 10 + 20) / ticks
    assert busy_seconds([1], stat) == (100 + 0 + 100 + 5 + 5 + 10) / ticks
    assert busy_seconds([0, 1], stat) == (530 + 220) / ticks


def test_what_the_system_does_not_tell_is_unknown(tmp_path: Path) -> None:
    assert busy_seconds([0], tmp_path / "missing") is None
    assert busy_seconds([7], written(tmp_path, STAT)) is None
    assert busy_seconds([0], written(tmp_path, "cpu0 0 0 0 0 0 0 0 0 0 0\n")) is None
    found = surroundings(at(0, None), at(1, None), own_cpu_s=0.5)
    assert found.foreign_cores is None
    assert not found.disturbed


def test_a_reading_holds_the_moment_and_the_gpu(tmp_path: Path) -> None:
    reading = read([0], gpu=lambda: CALM, clock=lambda: 42.0, stat=written(tmp_path, STAT))
    assert (reading.at_s, reading.gpu, reading.cpu) == (42.0, CALM, CpuState())
    assert reading.busy_s == 530 / os.sysconf("SC_CLK_TCK")


def test_our_own_work_is_no_disturbance() -> None:
    found = surroundings(at(10, 100.0), at(12, 103.9), own_cpu_s=3.85)
    assert found.foreign_cores == pytest.approx(0.025)
    assert not found.disturbed
    assert found.load == 0.5


def test_other_programs_are() -> None:
    found = surroundings(at(10, 100.0), at(12, 104.0), own_cpu_s=2.0)
    assert found.reasons == ("other programs kept 1.0 cores busy",)


@pytest.mark.parametrize(
    ("gpu", "reason"),
    [
        (CALM._replace(foreign_processes=1), "1 other process uses the GPU"),
        (CALM._replace(foreign_processes=2), "2 other processes use the GPU"),
        (CALM._replace(slowed=("power brake",)), "the GPU is held back: power brake"),
        (CALM._replace(temperature_C=91.0), "the GPU is at 91 degrees"),
    ],
)
def test_a_busy_hot_or_slowed_gpu_is_a_disturbance(gpu: GpuState, reason: str) -> None:
    assert surroundings(at(0, 0.0), at(1, 1.0, gpu), own_cpu_s=1.0).reasons == (reason,)
    assert surroundings(at(0, 0.0, gpu), at(1, 1.0, CALM), own_cpu_s=1.0).reasons == (
        reason,
    )  # it was so before
    assert surroundings(at(0, 0.0, gpu), at(1, 1.0, gpu), own_cpu_s=1.0).reasons == (reason,)
    assert not surroundings(at(0, 0.0), at(1, 1.0, CALM), own_cpu_s=1.0).disturbed


def test_a_hot_cpu_is_a_disturbance_and_its_clock_is_kept() -> None:
    warm, hot = CpuState(3.1e9, 70.0), CpuState(2.2e9, 97.0)
    found = surroundings(at(0, 0.0)._replace(cpu=warm), at(1, 1.0)._replace(cpu=hot), own_cpu_s=1.0)
    assert found.reasons == ("the CPU is at 97 degrees",)
    assert found.cpu == warm
    calm = surroundings(at(0, 0.0)._replace(cpu=warm), at(1, 1.0), own_cpu_s=1.0)
    assert not calm.disturbed  # of a temperature that is not told nothing is thought


class Busy:
    """A clock of one second a block, and other programs that keep so many cores busy in each."""

    def __init__(self, foreign: list[float]) -> None:
        self.foreign, self.second, self.busy, self.blocks = foreign, 0.0, 0.0, 0

    def measure(self) -> tuple[int, float]:
        self.second += 1.0
        self.busy += 1.0 + self.foreign[self.blocks]
        self.blocks += 1
        return self.blocks, 1.0

    def look(self) -> Reading:
        return at(self.second, self.busy)


@pytest.mark.parametrize(
    ("foreign", "attempts", "kept", "disturbed"),
    [
        ([0.0], 1, 1, False),
        ([0.8, 0.02], 2, 2, False),
        ([0.8, 0.8, 0.0], 3, 3, False),
        ([0.8, 0.3, 0.5], 3, 2, True),  # the least disturbed one is kept, and marked
    ],
)
def test_a_disturbed_block_is_measured_again(
    foreign: list[float], attempts: int, kept: int, disturbed: bool
) -> None:
    machine = Busy(foreign)
    found = undisturbed(machine.measure, machine.look, again=2)
    assert len(found) == attempts
    block, around = calmest(found)
    assert (block, around.disturbed) == (kept, disturbed)


class Nvml:
    """As much of pynvml as is used; clocks in MHz, power in mW, as NVML has them."""

    NVML_CLOCK_SM, NVML_TEMPERATURE_GPU = 1, 0

    class NVMLError(Exception):
        pass

    def __init__(self, reasons: int = 0, pids: tuple[int, ...] = (), *, power: bool = True) -> None:
        self.reasons, self.pids, self.power = reasons, pids, power

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlInit": None,
            "nvmlDeviceGetHandleByUUID": "handle",
            "nvmlDeviceGetComputeRunningProcesses": [SimpleNamespace(pid=pid) for pid in self.pids],
            "nvmlDeviceGetCurrentClocksThrottleReasons": self.reasons,
            "nvmlDeviceGetClockInfo": 1755,
            "nvmlDeviceGetTemperature": 61,
            "nvmlDeviceGetEnforcedPowerLimit": 350_000,
        }
        if name == "nvmlDeviceGetEnforcedPowerLimit" and not self.power:
            return self._refuse
        return lambda *_arguments: answers[name]

    def _refuse(self, *_arguments: object) -> None:
        raise self.NVMLError("not supported")


def test_nvml_is_read_in_base_units_and_our_own_process_is_not_foreign() -> None:
    look = nvml.reader("GPU-1", Nvml(pids=(os.getpid(), 1)))
    assert look is not None
    assert look() == GpuState(1, 1.755e9, 61.0, (), 350.0)


def test_being_idle_or_at_the_power_limit_does_not_slow_a_gpu_but_heat_does() -> None:
    idle_and_capped, too_hot = 0x1 | 0x4, 0x20 | 0x40
    look = nvml.reader("GPU-1", Nvml(idle_and_capped, power=False))
    assert look is not None
    assert look() == GpuState(0, 1.755e9, 61.0, (), None)
    look = nvml.reader("GPU-1", Nvml(too_hot))
    assert look is not None
    state = look()
    assert state is not None
    assert state.slowed == ("too hot (software)", "too hot (hardware)")


def test_without_nvml_there_is_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert nvml.reader("GPU-1") is None
