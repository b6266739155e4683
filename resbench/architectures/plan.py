"""The vocabulary in which a network's parts are written down: steps, chains, residual units, dense layers. No torch.

A plan is read twice: `resbench.architectures.layers` walks it to get every layer's shape and cost, and
`resbench.models.build` turns it into modules. The names are those of the modules, so that state dicts agree.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a layer does; each kind costs by its own rule."""

    CONVOLUTION = "convolution"
    LINEAR = "linear"
    BATCH_NORM = "batch norm"
    RELU = "relu"
    SIGMOID = "sigmoid"
    MAX_POOL = "max-pool"
    AVERAGE_POOL = "average-pool"
    DROPOUT = "dropout"
    ZERO_PAD = "zero padding"
    SCALE = "scale"
    """Times a constant."""
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    ADD = "residual add"
    CONCATENATE = "concatenate"
    FLATTEN = "flatten"
    """A view: it stands in plans, and costs nothing."""
    MATMUL = "matrix product"
    """Of two activations: attention, einsum. In none of our own networks."""
    NORM = "other norm"
    SOFTMAX = "softmax"
    ELEMENTWISE = "elementwise"
    """Any other operation that does a fixed small amount of work for each element."""
    UNKNOWN = "unknown"
    """Seen, and not priced: its cost can't be told from its shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation.

    Attributes:
        name: of the submodule that does it; a step that stands several times under one name is one module.
        channels: what comes out of a convolution, a linear layer or a zero padding.
        kernel, stride, padding, groups: of a convolution or pool; a zero padding keeps each `stride`-th pixel.
        adaptive: side of the output of an adaptive average pool (1: global); 0: a pool with a window.
        bias: whether a convolution or linear layer has one.
        inplace: whether a ReLU may overwrite its input.
        functional: done by a function instead of a module, so that `name` is no submodule.
        bias_start: what the bias starts at; None: as PyTorch's layers start.
        probability: of a dropout.
    """

    kind: Kind
    name: str
    channels: int = 0
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    adaptive: int = 0
    bias: bool = False
    inplace: bool = True
    functional: bool = False
    bias_start: float | None = None
    probability: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Parts one after the other, in an `nn.Sequential` called `name`."""

    name: str
    parts: "tuple[Part, ...]"


class Gating(StrEnum):
    """How a gate g(x) = sigmoid(W x + b) enters a residual unit (He et al. 2016, section 3.1)."""

    EXCLUSIVE = "exclusive"
    """g F(x) + (1 - g) x, as in highway networks."""
    SHORTCUT_ONLY = "shortcut-only"
    """F(x) + (1 - g) x."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """A residual unit: before, then branch + shortcut, then after.

    Attributes:
        before: steps whose result both the branch and the shortcut get.
        branch: the residual function F.
        shortcut: what the other side passes; empty: the identity; None: there is none, the unit is plain.
        gate: the 1x1 convolution of a gate on what `before` gives, and how its sigmoid enters.
        branch_scale, shortcut_scale: constants that multiply the two sides; 1: no multiplication.
        after: steps on the sum.
    """

    name: str
    branch: tuple[Step, ...]
    shortcut: "tuple[Part, ...] | None" = ()
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    gate: tuple[Step, Gating] | None = None
    branch_scale: float = 1.0
    shortcut_scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A dense layer: its input, and what the branch makes of it, concatenated (Huang et al. 2017, equation 2)."""

    name: str
    branch: tuple[Step, ...]


Part: TypeAlias = Step | Chain | Residual | Dense


def convolution(
    name: str, channels: int, kernel: int, stride: int = 1, *, groups: int = 1, bias: bool = False
) -> Step:
    """Return a convolution with an odd kernel and "same" padding: its stride alone decides the size."""
    return Step(
        kind=Kind.CONVOLUTION,
        name=name,
        channels=channels,
        kernel=kernel,
        stride=stride,
        padding=kernel // 2,
        groups=groups,
        bias=bias,
    )


def batch_norm(name: str) -> Step:
    """Return a batch norm."""
    return Step(kind=Kind.BATCH_NORM, name=name)


def relu(name: str = "relu", *, inplace: bool = True, functional: bool = False) -> Step:
    """Return a ReLU."""
    return Step(kind=Kind.RELU, name=name, inplace=inplace, functional=functional)


def head(features_name: str, classes: int) -> tuple[Step, ...]:
    """Return global average pooling, and a linear layer called `features_name` to the classes."""
    return (
        Step(kind=Kind.AVERAGE_POOL, name="avgpool", adaptive=1),
        Step(kind=Kind.FLATTEN, name="flatten", functional=True),
        Step(kind=Kind.LINEAR, name=features_name, channels=classes, bias=True),
    )
