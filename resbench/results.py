"""What was found: measurements in base units, the environment they came from, and results that hold them.

Everything here is frozen data without torch; `resbench.store` writes it and `resbench.reporting` reads it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

_LATER: Final = "later"
LATER: Final = MappingProxyType({_LATER: True})
"""Marks a data class's field that came after results were stored: `plain` leaves it out at its default.

So a question that was asked before the field existed keeps its key, and what was stored stays as it is.
"""


class Unit(StrEnum):
    """Base units: `resbench.units` scales them for display."""

    ONE = "1"
    """Counts (parameters, MACs, FLOPs) and shares (accuracy 0.9, never 90)."""
    SECOND = "s"
    BYTE = "B"
    PER_SECOND = "1/s"
    JOULE = "J"
    WATT = "W"


class Statistic(StrEnum):
    """How one figure was made from what was observed."""

    COMPUTED = "computed"
    """Follows from a definition: no noise, no n."""
    SINGLE = "single run"
    LAST = "last epoch"
    BEST = "best"
    MEAN = "mean"
    MEDIAN = "median"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure, in base units, with all that is needed to judge it.

    Attributes:
        metric: what was measured: "parameters", "latency", "top1_strict".
        value: in `unit`.
        n: how many observations `value` summarises (1 for a computed figure).
        low, high: the 95 % interval of `value`, where there is one.
        method: the convention, clock or reading behind the figure: "core", "synchronised call".
        samples: the raw observations, in `unit`, in the order they were made; may be empty.
    """

    metric: str
    value: float
    unit: Unit
    statistic: Statistic
    n: int = 1
    low: float | None = None
    high: float | None = None
    method: str = ""
    samples: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass over a set of samples, in training or in test.

    Attributes:
        loss: mean over the samples.
        loss_of_batches: mean of the batch means, where a smaller last batch weighs as much as a full one.
        top1, top5: share of samples, each counting the same (the *strict* reading).
        top1_of_batches, top5_of_batches: mean of the batches' shares (the reading *as published* by some).
        samples: how many samples were seen.
        seconds: wall time of the pass.
    """

    loss: float
    loss_of_batches: float
    top1: float
    top5: float
    top1_of_batches: float
    top5_of_batches: float
    samples: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch of training and what was tested after it; `number` counts from 1.

    Attributes:
        learning_rate: of its last step.
        test: None where the recipe reads the test set once, at the end, and this is no last epoch.
        validation: over the training samples that were held out, where any are.
    """

    number: int
    learning_rate: float
    train: Pass
    test: Pass | None
    validation: Pass | None = field(default=None, metadata=LATER)


IDENTITY: Final = ("cpu", "cores", "memory", "system", "gpu", "gpu memory", "gpu driver")
"""The facts that make a machine another one. The list is closed, so that a new fact changes no stored key: see ADR 8."""

READINGS: Final = (
    "load",
    "waiting for a core",
    "stolen time",
    "clock",
    "temperature",
    "memory available",
    "swap used",
    "gpu load",
    "gpu clock",
    "gpu temperature",
    "gpu memory free",
)
"""What of the state is never the same twice, and so no difference between two results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine, the software and the settings a result came from.

    Attributes:
        machine: stable facts: CPU, cores, memory, GPU, driver, system.
        software: versions: python, torch, torchvision, resbench, CUDA, cuDNN.
        settings: what was set for this run: threads, TF32, determinism, allocator.
        state: what was so at that moment and may not last: load, clocks, governor, power limit.
        model: of a result about one network: parameters, core MACs, layout.
        commit: of the resbench checkout it ran from; empty for an installed package.
        changed: whether that checkout had uncommitted changes.
        changes: twelve hex digits that stand for those changes; empty without any, and in results of older versions.
    """

    machine: Mapping[str, str]
    software: Mapping[str, str]
    settings: Mapping[str, str]
    state: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    changed: bool = False
    changes: str = ""

    @property
    def machine_id(self) -> str:
        """Twelve hex digits that stand for this machine in the store: a digest of the facts in `IDENTITY`."""
        return digest({name: self.machine[name] for name in IDENTITY if name in self.machine})[:12]


class Difference(NamedTuple):
    """One thing in which two environments differ.

    Attributes:
        kind: "machine", "software", "setting", "model" or "state".
        name: of the thing.
        first, second: what each says of it; None where it says nothing.
    """

    kind: str
    name: str
    first: str | None
    second: str | None


def differences(first: Environment, second: Environment) -> tuple[Difference, ...]:
    """Return every field in which two environments differ, but for `READINGS`; to be shown before a comparison."""
    kinds = {
        "machine": (first.machine, second.machine),
        "software": (_software(first), _software(second)),
        "setting": (first.settings, second.settings),
        "model": (first.model, second.model),
        "state": (first.state, second.state),
    }
    return tuple(
        Difference(kind, name, one.get(name), other.get(name))
        for kind, (one, other) in kinds.items()
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name) and not (kind == "state" and name in READINGS)
    )


def _software(environment: Environment) -> dict[str, str]:
    """Return the versions, and with them which state of our own code ran."""
    changes = environment.changes or "not recorded" if environment.changed else "none"
    ours = {
        "resbench commit": environment.commit,
        "uncommitted changes": changes if environment.commit else "",
    }
    return {**environment.software, **{name: value for name, value in ours.items() if value}}


class Ending(StrEnum):
    """How a training came to its end."""

    FINISHED = "finished"
    DIVERGED = "diverged"
    """Its loss was no longer finite, or far beyond any that trains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to one experiment.

    Attributes:
        key: content hash of the experiment; the same question has the same key everywhere.
        experiment: the question itself, as plain data (see `resbench.specs.Experiment`).
        started: when, in UTC, ISO 8601.
        seconds: wall time it took, over every session that worked on it.
        notes: what a reader must know to judge the figures, a sentence each.
        outcome: of a training: one that diverged has the epochs before that, and no accuracy.
        diverged_at: the step, from 1, whose loss was the first that was too large or no number.
    """

    key: str
    experiment: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    environment: Environment
    epochs: tuple[Epoch, ...] = ()
    started: str
    seconds: float
    notes: tuple[str, ...] = ()
    outcome: Ending = field(default=Ending.FINISHED, metadata=LATER)
    diverged_at: int | None = field(default=None, metadata=LATER)

    def find(self, metric: str, method: str | None = None) -> Measurement | None:
        """Return the measurement of `metric` (by `method`, where given), or None."""
        for measurement in self.measurements:
            if measurement.metric == metric and method in (None, measurement.method):
                return measurement
        return None


def plain(data: Any) -> Any:
    """Return a frozen data class (or a mapping or sequence of them) as plain data that JSON can hold."""
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        shown = [field for field in dataclasses.fields(data) if not _is_left_out(data, field)]
        return {field.name: plain(getattr(data, field.name)) for field in shown}
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, tuple | list):
        return [plain(value) for value in data]
    if isinstance(data, StrEnum):
        return str(data)
    return data


def _is_left_out(data: Any, field: dataclasses.Field[Any]) -> bool:
    return _LATER in field.metadata and bool(getattr(data, field.name) == field.default)


def digest(data: Any) -> str:
    """Return the SHA-256, in hex, of plain data in its canonical JSON form."""
    text = json.dumps(plain(data), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
