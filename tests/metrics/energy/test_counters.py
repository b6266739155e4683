"""Counters of joules, with files and a library that are not there."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resbench.metrics.energy import counters
from resbench.metrics.energy.counters import (
    POWERCAP,
    EnergyRefused,
    NvmlCounter,
    RaplZone,
    check_gpu,
    open_nvml,
    open_rapl,
)


@dataclass(frozen=True)
class Facts:
    mig: bool = False
    other_processes: int | None = 0
    has_energy_counter: bool = True


def zone(folder: Path, name: str, energy: int, highest: int = 999) -> Path:
    folder.mkdir(parents=True)
    for file, text in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", highest)):
        (folder / file).write_text(f"{text}\n", encoding="ascii")
    return folder


def test_a_counter_that_starts_again_loses_nothing(tmp_path: Path) -> None:
    counter = RaplZone(zone(tmp_path / "zone", "package-0", 900))
    for now, total in ((950, 50), (999, 99), (0, 100), (30, 130), (10, 1110)):
        (tmp_path / "zone" / "energy_uj").write_text(str(now), encoding="ascii")
        assert counter.joules() == pytest.approx(total * 1e-6)


def test_packages_and_memory_are_counted_once(tmp_path: Path) -> None:
    for folder, name in (
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:1", "package-1"),
        ("intel-rapl:2", "psys"),
    ):
        zone(tmp_path / folder, name, 0)
    counter = open_rapl(tmp_path)
    for file in tmp_path.glob("*/energy_uj"):
        file.write_text("100", encoding="ascii")
    assert counter.joules() == pytest.approx(300e-6)
    assert "package-0 + dram + package-1" in counter.name


def test_no_counter_and_no_permission_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnergyRefused, match="no RAPL counter"):
        open_rapl(tmp_path)
    zone(tmp_path / "intel-rapl:0", "package-0", 0)

    def refuse(_zone: RaplZone) -> int:
        raise PermissionError(13, "Permission denied", "energy_uj")

    monkeypatch.setattr(RaplZone, "_read", refuse)
    with pytest.raises(EnergyRefused, match="root alone"):
        open_rapl(tmp_path)


def test_a_zone_without_numbers_is_told(tmp_path: Path) -> None:
    (zone(tmp_path / "intel-rapl:0", "package-0", 0) / "energy_uj").write_text("?", encoding="ascii")
    with pytest.raises(EnergyRefused, match="can't be read"):
        open_rapl(tmp_path)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(mig=True), "MIG"),
        (Facts(other_processes=2), "2 other processes"),
        (Facts(other_processes=None), "who else"),
        (Facts(has_energy_counter=False), "no counter"),
        ("nvidia-ml-py is not installed", "not installed"),
    ],
)
def test_a_gpu_that_cannot_tell_of_us_alone_is_refused(facts: Any, reason: str) -> None:
    with pytest.raises(EnergyRefused, match=reason):
        check_gpu(facts)


def test_a_gpu_of_our_own_is_accepted() -> None:
    check_gpu(Facts())


class NVMLError(Exception):
    pass


def test_nvml_counts_millijoules_and_may_stop() -> None:
    answers: list[Any] = [12_345]

    def total(_handle: object) -> int:
        if not answers:
            raise NVMLError("GPU is lost")
        return int(answers.pop())

    nvml = SimpleNamespace(nvmlDeviceGetTotalEnergyConsumption=total, NVMLError=NVMLError)
    counter = NvmlCounter(nvml, object(), "H100")
    assert counter.joules() == pytest.approx(12.345)
    with pytest.raises(EnergyRefused, match="GPU is lost"):
        counter.joules()


class FakeNvml:
    """Knows one GPU, by the UUID that NVML calls it."""

    NVMLError = NVMLError

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802 - NVML's name
        if uuid != "GPU-12ab":
            raise NVMLError("Not Found")
        return "the handle"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802 - NVML's name
        assert handle == "the handle"
        return 3000


def test_the_counter_of_a_gpu_is_found_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = open_nvml("12ab", "H100", FakeNvml())
    assert counter.joules() == 3.0
    assert counter.name == "H100, whole board, NVML total energy"
    with pytest.raises(EnergyRefused, match="no GPU of this UUID"):
        open_nvml("34cd", "H100", FakeNvml())

    def fail() -> None:
        raise NVMLError("Driver Not Loaded")

    closed = FakeNvml()
    monkeypatch.setattr(closed, "nvmlInit", fail)
    with pytest.raises(EnergyRefused, match="does not open: Driver Not Loaded"):
        open_nvml("12ab", "H100", closed)
    monkeypatch.setattr(counters, "find_nvml", lambda: None)
    with pytest.raises(EnergyRefused, match="nvidia-ml-py, which is not installed"):
        open_nvml("12ab", "H100")


def test_the_real_counter_grows() -> None:
    try:
        counter = open_rapl(POWERCAP)
    except EnergyRefused as refused:
        pytest.skip(str(refused))
    assert counter.joules() >= 0
