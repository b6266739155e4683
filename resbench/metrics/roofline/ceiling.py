"""What a machine was seen to do at best, and the file that remembers it under the machine's identity. No torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from resbench.cache import cache_folder, keep
from resbench.metrics.roofline.roof import Roof
from resbench.results import plain

FORMAT = 1
"""Raised when the file, or what is measured, changes: what an older one holds is measured again."""

UNDISTURBED = 0.8
"""Threads that wait for one another do not always spin: alone, they have a core for nearly all of their time."""


class Rate(NamedTuple):
    """The highest rate that was seen.

    Attributes:
        value: FLOP/s, or B/s.
        how: with what.
        calls: how many were tried.
        occupied: share of its threads' time that the process had a core, over these calls; 1 for a GPU.
    """

    value: float
    how: str
    calls: int
    occupied: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """What a device does at best in one precision.

    Attributes:
        device: `cpu`, `cuda:0`.
        precision: fp32, tf32, bf16 or fp16.
        threads: of a CPU; 0 for a GPU.
        convolution, product: FLOP/s, through the library that convolutions go through.
        copy: B/s, reading and writing together.
    """

    device: str
    precision: str
    threads: int
    convolution: Rate
    product: Rate
    copy: Rate

    @property
    def roof(self) -> Roof:
        """The higher of the two peaks, and the bandwidth."""
        return Roof(max(self.convolution.value, self.product.value), self.copy.value)

    @property
    def occupied(self) -> float:
        """The least share of their time that the threads had a core, while any of the rates was measured."""
        return min(self.convolution.occupied, self.product.occupied, self.copy.occupied)

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much of the cores that the machine may do better."""
        return self.occupied < UNDISTURBED


def default_folder() -> Path:
    """Return the folder, in the user's cache, where the files lie."""
    return cache_folder() / "roofs"


def find_ceilings(
    folder: Path, machine_id: str, device: str, precision: str, threads: int
) -> Ceilings | None:
    """Return what was measured on this machine before, or None: never, by another version, or the file is damaged.

    Args:
        folder: where the files lie, one for each machine.
        machine_id: see `resbench.results.Environment`.
        device: as that of `Ceilings`.
        precision: as that of `Ceilings`.
        threads: as that of `Ceilings`.
    """
    for found in _read(_file(folder, machine_id)):
        if (found.device, found.precision, found.threads) == (device, precision, threads):
            return found
    return None


def keep_ceilings(folder: Path, machine_id: str, ceilings: Ceilings) -> Path:
    """Remember what was measured, in place of what was known of the same device, precision and threads.

    Raises:
        UsageError: the folder can't be written to.
    """
    file = _file(folder, machine_id)
    same = (ceilings.device, ceilings.precision, ceilings.threads)
    others = [old for old in _read(file) if (old.device, old.precision, old.threads) != same]
    data = {"format": FORMAT, "machine": machine_id, "ceilings": plain((*others, ceilings))}
    return keep(file, data, "the measured roof")


def _file(folder: Path, machine_id: str) -> Path:
    return folder / f"{machine_id}.json"


def _read(file: Path) -> tuple[Ceilings, ...]:
    try:
        data = json.loads(file.read_text("utf-8"))
        if data["format"] != FORMAT:
            return ()
        return tuple(_ceilings(entry) for entry in data["ceilings"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _ceilings(entry: dict[str, Any]) -> Ceilings:
    rates = {name: Rate(*entry[name]) for name in ("convolution", "product", "copy")}
    return Ceilings(
        device=str(entry["device"]),
        precision=str(entry["precision"]),
        threads=int(entry["threads"]),
        **rates,
    )
