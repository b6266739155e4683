"""What each layer computes and moves through memory: FLOPs, bytes, and their ratio. No torch.

Bytes are the least that a layer moves on its own: weights once, each input once, each output once, at the size of the
precision. An operation in place writes over what it read, and moves as much as one out of place. What a cache keeps
from one layer to the next is not taken off, and neither casts of autocast nor reordering into a library's own layout is
added: both show as time beyond the roof's.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind
from resbench.errors import unknown

ELEMENT_B = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}
"""Bytes of a number in memory. TF32 is a way to multiply float32."""

FLOPS_RULE = "2 x MACs of convolutions, linear layers and matrix products, no bias; of the rest, operations for each element"

_PRODUCTS = (Kind.CONVOLUTION, Kind.LINEAR, Kind.MATMUL)
_EACH_OUTPUT = {
    Kind.BATCH_NORM: 2,
    Kind.RELU: 1,
    Kind.SIGMOID: 1,
    Kind.SCALE: 1,
    Kind.SUBTRACT: 1,
    Kind.MULTIPLY: 1,
    Kind.ADD: 1,
    Kind.NORM: 5,
    Kind.SOFTMAX: 5,
    Kind.ELEMENTWISE: 1,
}
"""Operations for each element out: a batch norm in evaluation is one multiplication and one addition."""

POINTWISE = frozenset(
    (
        Kind.BATCH_NORM,
        Kind.RELU,
        Kind.SIGMOID,
        Kind.SCALE,
        Kind.SUBTRACT,
        Kind.MULTIPLY,
        Kind.ADD,
        Kind.ELEMENTWISE,
        Kind.DROPOUT,
    )
)
"""Each number out depends on one place of each input."""

_FREE = (Kind.DROPOUT, Kind.FLATTEN)
"""Hand on what they got, in evaluation."""


class Cost(NamedTuple):
    """What a layer, or several in one pass over memory, does for a whole batch.

    Attributes:
        name: of the layer; of the first and the last of several.
        kind: of the layer; of the first of several.
        flops: operations, see `FLOPS_RULE`.
        weights_B: of all that it keeps: weights, bias, running statistics.
        read_B, written_B: of activations.
        priced: whether `flops` could be told.
    """

    name: str
    kind: Kind
    flops: int
    weights_B: int
    read_B: int
    written_B: int
    priced: bool = True

    @property
    def moved(self) -> int:
        """All bytes that go to or come from memory."""
        return self.weights_B + self.read_B + self.written_B

    @property
    def intensity(self) -> float:
        """FLOPs for each byte; 0 for what moves nothing."""
        return self.flops / self.moved if self.moved else 0.0


def element_size(precision: str) -> int:
    """Return the bytes of a number.

    Raises:
        UsageError: there is no such precision.
    """
    if precision not in ELEMENT_B:
        raise unknown("precision", precision, ELEMENT_B)
    return ELEMENT_B[precision]


def costs_of(layers: Sequence[Layer], precision: str = "fp32", batch_size: int = 1) -> tuple[Cost, ...]:
    """Return the cost of each layer of a network, each on its own as in eager mode: nothing is fused."""
    size = element_size(precision)
    return tuple(
        Cost(
            layer.name,
            layer.kind,
            batch_size * flops_of(layer),
            size * _kept(layer),
            size * batch_size * sum(operands(layer, layers).values()),
            0 if layer.kind in _FREE else size * batch_size * layer.outputs,
            layer.kind is not Kind.UNKNOWN,
        )
        for layer in layers
    )


def flops_of(layer: Layer) -> int:
    """Return a layer's operations for one picture."""
    if layer.kind in _PRODUCTS:
        return 2 * layer.macs
    if layer.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        return layer.inputs if layer.adaptive else layer.kernel**2 * layer.outputs
    return _EACH_OUTPUT.get(layer.kind, 0) * layer.outputs


def _kept(layer: Layer) -> int:
    """Return the numbers that a layer reads beside its input: a batch norm has as many statistics as weights."""
    if layer.kind is Kind.BATCH_NORM:
        return layer.parameters + 2 * layer.output_CHW[0]
    return layer.parameters or _shared(layer)


def _shared(layer: Layer) -> int:
    """Return the weights of a layer that has none of its own: the same module ran before, and keeps them there."""
    outputs = layer.output_CHW
    if layer.kind is Kind.CONVOLUTION and len(layer.sources) < 2:
        return layer.macs // prod(outputs[1:])
    if layer.kind is Kind.LINEAR and len(layer.sources) < 2:
        return layer.macs // prod(outputs[:-1])
    return 0


def operands(layer: Layer, layers: Sequence[Layer]) -> dict[int, int]:
    """Return the elements that a layer reads for one picture, by the layer that made them; what is read twice stands once."""
    if layer.kind in _FREE:
        return {}
    first, *others = dict.fromkeys(layer.sources or (IMAGE,))
    if layer.kind is Kind.MATMUL:
        return {first: layer.inputs + layer.macs // max(1, prod(layer.input_CHW[-2:-1]))}
    if layer.kind is Kind.CONCATENATE or not others:
        return {first: layer.inputs}
    if layer.kind in POINTWISE:
        # An operand may be broadcast, or be a part of what its source made: it is never larger than the output.
        return {at: min(layer.outputs, _made(at, layer, layers)) for at in (first, *others)}
    return {first: layer.inputs} | {at: _made(at, layer, layers) for at in others}


def _made(at: int, layer: Layer, layers: Sequence[Layer]) -> int:
    return layers[at].outputs if at >= 0 else layer.outputs
