"""What a training step computes, and what it moves at least: forward, backward, optimiser; nothing fused. No torch.

Bytes are counted as `bytes` counts them: each tensor that a pass over a layer needs, once. In the backward pass a layer
with weights reads the gradient of its output, its input and its weights, and writes the gradients of both; a layer without
reads the gradient and what it kept, and writes the gradient of its input. Additions, concatenations and what only hands on
a tensor move nothing; nor does the picture get a gradient. SGD with momentum reads weights, gradients and momentum, and
writes weights and momentum.
"""

from collections.abc import Sequence
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind
from resbench.metrics.roofline.bytes import Cost, costs_of

_STATE_B = 4
"""Weights, gradients and momentum are float32, whatever products are computed in."""
_OPTIMIZER_FLOPS, _OPTIMIZER_PASSES = 4, 5
"""For each weight: m = mu m + g, w = w - r m; three tensors are read, and two written."""

_HANDED_ON = (Kind.ADD, Kind.CONCATENATE, Kind.FLATTEN, Kind.DROPOUT)
"""The gradient of their output is that of each input, or a part of it."""


class StepCost(NamedTuple):
    """What one step does for a whole batch.

    Attributes:
        macs: multiply-accumulates of the products, forward and backward, no bias.
        flops: operations, as `resbench.metrics.roofline.bytes` counts them.
        moved: bytes to and from memory.
    """

    macs: int
    flops: int
    moved: int


def step_cost_of(layers: Sequence[Layer], precision: str = "fp32", batch_size: int = 1) -> StepCost:
    """Return what a training step costs."""
    macs = flops = moved = 0
    passed: list[bool] = []
    for layer, cost in zip(layers, costs_of(layers, precision, batch_size), strict=True):
        # How many of its inputs a gradient is wanted of: none flows to the picture, nor to what was made of it without weights.
        reached = sum(passed[source] for source in layer.sources if source >= 0)
        passed.append(bool(reached or layer.parameters))
        products = batch_size * layer.macs * (1 + _gradients(layer, reached))
        macs += products
        flops += 2 * products if layer.macs else cost.flops * (1 + passed[-1])
        moved += cost.moved + (_backward_bytes(layer, cost, reached=bool(reached)) if passed[-1] else 0)
    parameters = sum(layer.parameters for layer in layers)
    return StepCost(
        macs=macs,
        flops=flops + _OPTIMIZER_FLOPS * parameters,
        moved=moved + _OPTIMIZER_PASSES * _STATE_B * parameters,
    )


def _gradients(layer: Layer, reached: int) -> int:
    """Return how many products of the forward pass's size the backward pass takes."""
    if layer.kind is Kind.MATMUL:
        # Both operands may come from one layer, or one be a parameter, which gets a gradient as well.
        return 2 if reached and len(layer.sources) == 1 else min(reached, 2)
    return bool(layer.macs) + (bool(layer.macs) and reached > 0)


def _backward_bytes(layer: Layer, cost: Cost, *, reached: bool) -> int:
    if layer.kind in _HANDED_ON:
        return 0
    gradients_B = cost.weights_B if layer.parameters else 0
    return cost.written_B + cost.read_B + reached * (cost.weights_B + cost.read_B) + gradients_B
