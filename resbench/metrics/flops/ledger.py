"""What a network does, counted once: rows of equal layers with their sums. Conventions render them. No torch.

A ledger of one layer is a ledger, too, so that whatever can be said of a network can be said of each of its layers.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from math import prod
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind


class Category(StrEnum):
    """What is counted: multiply-accumulates (MACs) for the first three, elements for the rest."""

    CONVOLUTION = "convolution MACs"
    LINEAR = "linear MACs"
    MATMUL = "matrix product MACs"
    CONVOLUTION_BIAS = "convolution bias"
    LINEAR_BIAS = "linear bias"
    BATCH_NORM = "batch norm"
    NORM = "other norms"
    RELU = "ReLU"
    SIGMOID = "sigmoid and gates"
    MAX_POOL = "max-pool"
    AVERAGE_POOL = "average-pool"
    ADD = "residual add"
    PADDING = "padding"
    SOFTMAX = "softmax"
    ELEMENTWISE = "other elementwise"


class Row(NamedTuple):
    """Layers that no convention tells apart, and the sums over them, for one picture.

    Attributes:
        kind, module, operator, adaptive: as of `Layer`.
        layers: how many there are.
        macs: multiply-accumulates, no bias.
        bias_additions: elements out of those that have a bias.
        inputs, outputs: elements that go in and come out.
        weights, biases: trainable numbers.
        input_gradient_macs: of the backward pass, for the gradients of what they read; none flows to the picture, nor to
            what was made of it without weights.
        ungrouped_macs: `macs` times the groups of each: what a grouped convolution would take in one group.
        gradient_elements: `outputs` of those that a gradient passes through, or ends in.
    """

    kind: Kind
    module: str
    operator: str
    adaptive: bool
    layers: int
    macs: int
    bias_additions: int
    inputs: int
    outputs: int
    weights: int
    biases: int
    input_gradient_macs: int = 0
    ungrouped_macs: int = 0
    gradient_elements: int = 0


Ledger = tuple[Row, ...]


def ledger_of(layers: Iterable[Layer], times: Sequence[int] = ()) -> Ledger:
    """Return the ledger of the layers, in the order in which each row's first layer runs.

    Args:
        layers: all of a network, in order. A source that is not among them is taken to pass a gradient on.
        times: how many layers each one stands for; default: itself.
    """
    sums: dict[Key, Numbers] = {}
    for at, (key, numbers) in enumerate(_entries(layers)):
        count = times[at] if times else 1
        before = sums.get(key, _NOTHING)
        sums[key] = tuple([old + count * new for old, new in zip(before, numbers, strict=True)])
    return tuple(Row(*key, *numbers) for key, numbers in sums.items())


def rows_of(layers: Iterable[Layer]) -> Iterator[Row]:
    """Return a row for each layer of a network."""
    return (Row(*key, *numbers) for key, numbers in _entries(layers))


def categories(ledger: Ledger) -> dict[Category, int]:
    """Return what is counted in the forward pass, by category; no zeros.

    MACs of convolutions, linear layers and matrix products; elements that go into pools, and that come out of the rest.
    """
    sums: dict[Category, int] = {}
    for row in ledger:
        for category, quantity in _counted(row):
            sums[category] = sums.get(category, 0) + quantity
    return {category: sums[category] for category in Category if sums.get(category)}


WEIGHTED = {
    Kind.CONVOLUTION: (Category.CONVOLUTION, Category.CONVOLUTION_BIAS),
    Kind.LINEAR: (Category.LINEAR, Category.LINEAR_BIAS),
    Kind.MATMUL: (Category.MATMUL, Category.LINEAR_BIAS),
}
"""The categories of MACs and of bias additions."""

ELEMENTS = {
    Kind.BATCH_NORM: Category.BATCH_NORM,
    Kind.NORM: Category.NORM,
    Kind.RELU: Category.RELU,
    Kind.SIGMOID: Category.SIGMOID,
    Kind.SUBTRACT: Category.SIGMOID,
    Kind.MULTIPLY: Category.SIGMOID,
    Kind.MAX_POOL: Category.MAX_POOL,
    Kind.AVERAGE_POOL: Category.AVERAGE_POOL,
    Kind.ADD: Category.ADD,
    Kind.ZERO_PAD: Category.PADDING,
    Kind.SOFTMAX: Category.SOFTMAX,
    Kind.SCALE: Category.ELEMENTWISE,
    Kind.ELEMENTWISE: Category.ELEMENTWISE,
}
"""The categories of elements. A dropout does nothing to one picture in eval mode, and a concatenation only moves it."""

Key = tuple[Kind, str, str, bool]
Numbers = tuple[int, ...]
_NOTHING: Numbers = (0,) * 10


def _counted(row: Row) -> tuple[tuple[Category, int], ...]:
    if row.kind in WEIGHTED:
        macs, bias = WEIGHTED[row.kind]
        return (macs, row.macs), (bias, row.bias_additions)
    if row.kind not in ELEMENTS:
        return ()
    pooled = row.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL)
    return ((ELEMENTS[row.kind], row.inputs if pooled else row.outputs),)


def _entries(layers: Iterable[Layer]) -> Iterator[tuple[Key, Numbers]]:
    """Return what each layer adds, and to which row."""
    passed: list[bool] = []
    for layer in layers:
        reached = sum([at >= len(passed) or passed[at] for at in layer.sources if at >= 0])
        passes = bool(reached or layer.weights or layer.biases)
        passed.append(passes)
        outputs, macs = prod(layer.output_CHW), layer.macs
        numbers = (
            1,
            macs,
            outputs if layer.biases else 0,
            prod(layer.input_CHW),
            outputs,
            layer.weights,
            layer.biases,
            macs and macs * _operands(layer, reached),
            macs * layer.groups,
            outputs if passes else 0,
        )
        yield (layer.kind, layer.module, layer.operator, layer.adaptive), numbers


def _operands(layer: Layer, reached: int) -> int:
    """Return of how many of its inputs a product of them gives the gradient."""
    if layer.kind is not Kind.MATMUL:
        return min(reached, 1)
    # Both operands may come from one layer, or one be a parameter, which gets a gradient as well.
    return 2 if reached and len(layer.sources) == 1 else min(reached, 2)
