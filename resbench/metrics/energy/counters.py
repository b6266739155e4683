"""Counters of joules: what NVML keeps for a GPU, and what RAPL keeps for the packages and the memory of a machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from resbench.errors import ResbenchError
from resbench.models.nvml import find_nvml, handle_of

POWERCAP: Final = Path("/sys/class/powercap")


class EnergyRefused(ResbenchError):  # noqa: N818 - a finding as much as an error
    """Energy can't be told here, and why."""


class Counter(Protocol):
    """A total that only grows.

    Attributes:
        name: what is counted, for the reader.
    """

    name: str

    def joules(self) -> float:
        """Return the total since some moment."""


class GpuFacts(Protocol):
    """What decides whether a GPU's counter can be believed; `resbench.environment.nvml.GpuState` has it."""

    @property
    def mig(self) -> bool:
        """Whether the GPU is cut into instances."""

    @property
    def other_processes(self) -> int | None:
        """How many compute on it beside ours; None: it does not tell."""

    @property
    def has_energy_counter(self) -> bool:
        """Whether it counts joules."""


class NvmlCounter:
    """The whole board's energy since its driver was loaded, by NVML.

    Args:
        nvml: the module `pynvml`, initialised.
        handle: of the GPU.
        name: of the GPU.
    """

    def __init__(self, nvml: Any, handle: Any, name: str) -> None:
        self.name = f"{name}, whole board, NVML total energy"
        self._nvml, self._handle = nvml, handle

    def joules(self) -> float:
        """Return the total; NVML counts millijoules.

        Raises:
            EnergyRefused: the driver stopped telling.
        """
        try:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3
        except self._nvml.NVMLError as error:
            raise EnergyRefused(f"energy: NVML's counter can't be read: {error}") from error


def open_nvml(uuid: str, name: str, nvml: Any = None) -> NvmlCounter:
    """Return the counter of one GPU; NVML stays open as long as this process lives.

    Args:
        uuid: of the GPU.
        name: of the GPU.
        nvml: the module `pynvml`, or a fake of it.

    Raises:
        EnergyRefused: NVML is not installed, does not open, or knows no such GPU.
    """
    library = nvml or find_nvml()
    if library is None:
        raise EnergyRefused("energy: the GPU's counter is read by nvidia-ml-py, which is not installed")
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        raise EnergyRefused(f"energy: NVML does not open: {error}") from error
    handle = handle_of(library, uuid)
    if handle is None:
        raise EnergyRefused("energy: NVML knows no GPU of this UUID")
    return NvmlCounter(library, handle, name)


def check_gpu(facts: GpuFacts | str) -> None:
    """Refuse a GPU whose counter would not tell of our work alone.

    Args:
        facts: of the GPU, or in words why there are none.

    Raises:
        EnergyRefused: with the reason.
    """
    if isinstance(facts, str):
        raise EnergyRefused(f"energy: the GPU's state can't be read: {facts}")
    if facts.mig:
        raise EnergyRefused("energy: the GPU is cut into MIG instances, and its counter counts all of them")
    if facts.other_processes is None:
        raise EnergyRefused(
            "energy: the GPU does not tell who else computes on it, and its counter counts all"
        )
    if facts.other_processes:
        raise EnergyRefused(
            f"energy: {facts.other_processes} other processes use the GPU, and its counter counts theirs too: end them"
        )
    if not facts.has_energy_counter:
        raise EnergyRefused("energy: the GPU has no counter of joules (NVIDIA's have one from Volta on)")


class RaplZone:
    """One counter of the kernel's, in microjoules, which starts again at 0 beyond its range.

    It must be read more often than it wraps: at 200 W a range of 262 kJ lasts 20 minutes.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "energy_uj"
        self._range = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
        self._last = self._read()
        self._total = 0

    def joules(self) -> float:
        """Return the total since this object was made."""
        now = self._read()
        self._total += now - self._last if now >= self._last else now + self._range + 1 - self._last
        self._last = now
        return self._total / 1e6

    def _read(self) -> int:
        return int(self._file.read_text(encoding="ascii"))


class RaplCounter:
    """The sum of several zones."""

    def __init__(self, zones: Sequence[RaplZone], name: str) -> None:
        self.name = name
        self._zones = tuple(zones)

    def joules(self) -> float:
        """Return the total of all zones since this object was made.

        Raises:
            EnergyRefused: one of them can't be read any more.
        """
        try:
            return sum(zone.joules() for zone in self._zones)
        except (OSError, ValueError) as error:
            raise EnergyRefused(f"energy: RAPL can't be read: {error}") from error


def open_rapl(powercap: Path = POWERCAP) -> RaplCounter:
    """Return the counter of all packages, with their memory where that is counted apart.

    Raises:
        EnergyRefused: there is none, or it can't be read.
    """
    folders = [folder for folder in sorted(powercap.glob("intel-rapl:*")) if _counts_apart(folder)]
    if not folders:
        raise EnergyRefused(
            f"energy: no RAPL counter in {powercap}: the kernel, the container or the virtual machine has none"
        )
    try:
        zones = [RaplZone(folder) for folder in folders]
    except PermissionError as error:
        raise EnergyRefused(
            f"energy: {error.filename} may be read by root alone: sudo chmod a+r {powercap}/intel-rapl:*/energy_uj"
        ) from error
    except (OSError, ValueError) as error:
        raise EnergyRefused(f"energy: RAPL can't be read: {error}") from error
    names = " + ".join(dict.fromkeys(_name(folder) for folder in folders))
    return RaplCounter(zones, f"RAPL: {names}, all that runs on the machine")


def _counts_apart(folder: Path) -> bool:
    """Whether a zone is no part of another: cores and graphics are parts of their package, memory is not."""
    name = _name(folder)
    return name.startswith("package") or name == "dram"


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text(encoding="ascii").strip()
    except OSError:
        return ""
