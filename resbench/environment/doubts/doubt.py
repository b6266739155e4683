"""One reason to doubt a measurement, and all that was read of a machine to find such reasons."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from resbench.environment.host import HostState
from resbench.environment.nvml import GpuState
from resbench.environment.process import ProcessState
from resbench.results import Environment


class Weight(StrEnum):
    """How much a doubt weighs."""

    WARNING = "warning"
    """Figures measured now may be wrong, or not hold at another time."""
    NOTE = "note"
    """Something can't be measured here, or is worth knowing when one compares with others."""


class Doubt(NamedTuple):
    """One reason.

    Attributes:
        weight: how much.
        subject: in a word or two: "governor".
        found: what was found, and why it matters; one sentence without its full stop.
        remedy: what to do about it; one sentence without its full stop.
    """

    weight: Weight
    subject: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that was read.

    Attributes:
        environment: the record.
        host: the state behind it.
        process: what this process can do.
        gpu: the GPU's state, or in words why it can't be had; None for a CPU.
        noise_known: whether the noise floor of this device was measured before, with as many threads.
    """

    environment: Environment
    host: HostState
    process: ProcessState
    gpu: GpuState | str | None = None
    noise_known: bool = True


Check = Callable[[Findings], Iterator[Doubt]]
"""Yields a doubt where there is one."""


def warning(subject: str, found: str, remedy: str) -> Doubt:
    """Return a doubt that weighs."""
    return Doubt(Weight.WARNING, subject, found, remedy)


def note(subject: str, found: str, remedy: str) -> Doubt:
    """Return a doubt that is good to know."""
    return Doubt(Weight.NOTE, subject, found, remedy)
