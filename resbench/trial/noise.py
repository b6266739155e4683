"""What differences this machine shows where there are none: its noise floor, measured A against A and kept.

A later comparison that lies within it says nothing, however narrow its own interval is.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from resbench.cache import cache_folder, keep
from resbench.trial.findings import speed
from resbench.trial.records import Record

FORMAT = 2
"""Raised when the file, or what is measured, changes: what an older one holds is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The noise floor of one device with so many threads.

    Attributes:
        device: `cpu`, `cuda:0`.
        threads: of the measuring process.
        model: that was measured against itself, batch 1.
        floor: ratios between 1 / (1 + floor) and 1 + floor are noise.
        ratio, low, high: of A against A, with its 95 % interval.
        between_processes: standard deviation of a process's median, as a share of it.
        processes: fresh processes of each arm.
        disturbed: share of the blocks beside which something else ran.
        pace_s: the machine's pace with so many threads (see `resbench.metrics.latency.pace`); 0 on a GPU.
        torch: the release that computed the reference work.
        measured: when, in UTC, ISO 8601.
    """

    device: str
    threads: int
    model: str
    floor: float
    ratio: float
    low: float
    high: float
    between_processes: float
    processes: int
    disturbed: float
    pace_s: float
    torch: str
    measured: str

    def holds(self, ratio: float) -> bool:
        """Whether a ratio may be noise."""
        return abs(math.log(ratio)) <= math.log1p(self.floor)


def floor_of(record: Record, measured: str, torch: str) -> Floor:
    """Return the floor that a measurement of a case against itself shows.

    It is the end of the ratio's interval that is farther from 1: so far an honest comparison here may be off.

    Args:
        record: of two arms with the same case.
        torch: the release that ran.
        measured: when, in UTC, ISO 8601.

    Raises:
        ValueError: an arm has no figures.
    """
    first, second = record.arms
    found = speed(first, second)
    if found is None:
        raise ValueError("A against A needs rounds of both arms")
    blocks = record.surroundings
    return Floor(
        device=first.case.device,
        threads=first.case.threads,
        model=first.case.model,
        floor=math.expm1(max(abs(math.log(end)) for end in found)),
        ratio=found.value,
        low=found.low,
        high=found.high,
        between_processes=_between(record),
        processes=record.processes,
        disturbed=sum(around.disturbed for around in blocks) / max(1, len(blocks)),
        pace_s=_pace_s(record),
        torch=torch,
        measured=measured,
    )


def _pace_s(record: Record) -> float:
    """Return the median pace over all rounds; 0 where none was timed."""
    from statistics import median

    paces = [found.pace_s for arm in record.arms for found in arm.rounds if found.pace_s]
    return median(paces) if paces else 0.0


def _between(record: Record) -> float:
    """Return the standard deviation of the logarithm of a process's median, from both arms."""
    from statistics import median, stdev

    logs = [[math.log(median(samples)) for samples in arm.latencies()] for arm in record.arms]
    spreads = [stdev(each) for each in logs if len(each) > 1]
    return math.sqrt(sum(spread**2 for spread in spreads) / len(spreads)) if spreads else 0.0


def noise_folder() -> Path:
    """Return the folder, in the user's cache, where the files lie, one for each machine."""
    return cache_folder() / "noise"


def find_floor(folder: Path, machine_id: str, device: str, threads: int) -> Floor | None:
    """Return the floor that was measured on this machine before, or None.

    Args:
        folder: `noise_folder()`.
        machine_id: see `resbench.results.Environment`.
        device: as that of `Floor`.
        threads: as that of `Floor`.
    """
    for found in _read(folder / f"{machine_id}.json"):
        if (found.device, found.threads) == (device, threads):
            return found
    return None


def find_pace_s(folder: Path, machine_id: str, torch: str, threads: int) -> float:
    """Return the pace that this machine was found to have on its CPU with the same release of torch, or 0."""
    floor = find_floor(folder, machine_id, "cpu", threads)
    return floor.pace_s if floor is not None and floor.torch == torch else 0.0


def keep_floor(folder: Path, machine_id: str, floor: Floor) -> Path:
    """Remember a floor in place of what was known of the same device and threads, and return its file.

    Raises:
        UsageError: the folder can't be written to.
    """
    file = folder / f"{machine_id}.json"
    others = [old for old in _read(file) if (old.device, old.threads) != (floor.device, floor.threads)]
    data = {"format": FORMAT, "machine": machine_id, "floors": [asdict(each) for each in (*others, floor)]}
    return keep(file, data, "the noise floor")


def _read(file: Path) -> list[Floor]:
    try:
        data = json.loads(file.read_text("utf-8"))
        if data["format"] != FORMAT:
            return []
        names = {field.name for field in fields(Floor)}
        return [Floor(**entry) for entry in data["floors"] if set(entry) == names]
    except (OSError, ValueError, KeyError, TypeError):
        return []
