"""One thing that is measured: a model, how it is run, and on what. Plain data that a worker process gets as JSON."""

import json
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from resbench.errors import unknown
from resbench.results import Difference, plain

PRECISIONS: Final = ("fp32", "tf32", "bf16", "fp16")
MEMORY_FORMATS: Final = ("contiguous", "channels_last")
MODES: Final = ("inference", "training")
ALLOCATORS: Final = ("system", "keep")
"""What the CPU's memory does when it is freed; `resbench.models.allocator` says what each means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One arm of a measurement.

    Attributes:
        model: any name that `resbench.models.outside.open_model` takes.
        backend: what runs it: a name of `resbench.models.backends`.
        device: `cpu`, `cuda` or `cuda:1`.
        precision: one of `PRECISIONS`: `fp32` (never rounded), `tf32`, `bf16`, `fp16`.
        whole_model: whether bf16 and fp16 mean the whole model's tensors; else autocast with float32 weights.
        memory_format: one of `MEMORY_FORMATS`.
        batch_size: images in one call, or in one training step.
        input_CHW: one image.
        num_classes: outputs of the head; None: the network's own.
        mode: `inference` (one forward pass) or `training` (forward, backward, optimiser).
        threads: how many the worker computes with on the CPU.
        weights: a checkpoint, where its name or file is given; else the initial weights of `seed`.
        seed: of the initial weights and of the input.
        allocator: one of `ALLOCATORS`: whether freed memory goes back to the system or stays with the process.
    """

    model: str
    backend: str = "eager"
    device: str = "cpu"
    precision: str = "fp32"
    whole_model: bool = False
    memory_format: str = "contiguous"
    batch_size: int = 1
    input_CHW: tuple[int, int, int] = (3, 224, 224)
    num_classes: int | None = None
    mode: str = "inference"
    threads: int = 1
    weights: str = ""
    seed: int = 0
    allocator: str = "system"

    def __post_init__(self) -> None:
        """Refuse words that mean nothing.

        Raises:
            UsageError: precision, memory format, mode or allocator is none that is known.
        """
        for kind, found, known in (
            ("precision", self.precision, PRECISIONS),
            ("memory format", self.memory_format, MEMORY_FORMATS),
            ("mode", self.mode, MODES),
            ("allocator", self.allocator, ALLOCATORS),
        ):
            if found not in known:
                raise unknown(kind, found, known)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the input of one call: batch, channels, height, width."""
        return (self.batch_size, *self.input_CHW)

    @property
    def arithmetic(self) -> str:
        """The precision in words: "bf16 (autocast)", "bf16 (whole model)", "fp32"."""
        if self.precision in ("fp32", "tf32"):
            return self.precision
        return f"{self.precision} ({'whole model' if self.whole_model else 'autocast'})"

    @property
    def label(self) -> str:
        """The whole case in one line: "resnet18, eager, fp32, batch 8, 3x224x224, cpu, 2 threads"."""
        usual = {"contiguous", "inference", "allocator system"}
        return ", ".join(
            [self.model, *(trait for trait in _traits(self).values() if trait and trait not in usual)]
        )

    def to_json(self) -> str:
        """Return the case as one line of JSON."""
        return json.dumps(plain(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the case of such a line.

        Raises:
            ValueError: the text holds a field that a case has not.
        """
        return cls.from_plain(json.loads(text))

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Self:
        """Return the case of its plain data (what JSON gives back)."""
        known = {field.name for field in fields(cls)}
        if strange := sorted(set(data) - known):
            raise ValueError(f"a case has no field {', '.join(strange)}")
        if "input_CHW" in data:
            channels, height, width = map(int, data["input_CHW"])
            data = {**data, "input_CHW": (channels, height, width)}
        return cls(**data)


def labels(cases: tuple[Case, ...]) -> tuple[str, ...]:
    """Return one label a case with only what differs between the cases: "resnet18, batch 8" and "resnet50, batch 8".

    The model always stands first; a field that all the cases share is left out.
    """
    if len(cases) == 1:
        return (cases[0].model,)
    traits = [_traits(case) for case in cases]
    differing = [trait for trait in traits[0] if len({of[trait] for of in traits}) > 1]
    return tuple(
        ", ".join([case.model, *(of[trait] for trait in differing if of[trait])])
        for case, of in zip(cases, traits, strict=True)
    )


def case_differences(first: Case, second: Case) -> tuple[Difference, ...]:
    """Return every field in which two cases differ."""
    pairs = {
        name: (getattr(first, name), getattr(second, name)) for name in (field.name for field in fields(Case))
    }
    return tuple(
        Difference("case", name.removesuffix("_CHW").replace("_", " "), _said(one), _said(other))
        for name, (one, other) in pairs.items()
        if one != other
    )


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(plain(value)) if value not in (None, "") else "none"


def _traits(case: Case) -> dict[str, str]:
    """Return what a label may say of a case, in the order in which it does."""
    return {
        "backend": case.backend,
        "arithmetic": case.arithmetic,
        "memory format": case.memory_format,
        "mode": case.mode,
        "batch": f"batch {case.batch_size}",
        "input": "x".join(map(str, case.input_CHW)),
        "device": case.device,
        "threads": f"{case.threads} thread{'' if case.threads == 1 else 's'}",
        "weights": case.weights,
        "allocator": f"allocator {case.allocator}",
    }
