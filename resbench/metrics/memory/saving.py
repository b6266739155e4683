"""What each kind of layer keeps from its forward pass for its backward pass, as PyTorch's operators do. No torch.

Source: PyTorch, tools/autograd/derivatives.yaml: the tensors that each operator's derivative names.
"""

from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind

STATISTIC_B = 4
"""Means and deviations of a norm are float32 whatever its input is."""

INDEX_B = 8
"""Where each maximum of a max-pool was: int64."""


class Saving(NamedTuple):
    """What a layer keeps.

    Attributes:
        inputs: whether its inputs.
        output: whether its output.
    """

    inputs: bool = False
    output: bool = False


_NOTHING = Saving()
_INPUTS = Saving(inputs=True)
_OUTPUT = Saving(output=True)

_BY_KIND = {
    Kind.CONVOLUTION: _INPUTS,
    Kind.LINEAR: _INPUTS,
    Kind.MATMUL: _INPUTS,
    Kind.BATCH_NORM: _INPUTS,
    Kind.NORM: _INPUTS,
    Kind.MAX_POOL: _INPUTS,
    Kind.AVERAGE_POOL: _INPUTS,
    Kind.MULTIPLY: _INPUTS,
    Kind.ELEMENTWISE: _INPUTS,
    Kind.UNKNOWN: _INPUTS,
    Kind.RELU: _OUTPUT,
    Kind.SIGMOID: _OUTPUT,
    Kind.SOFTMAX: _OUTPUT,
    Kind.DROPOUT: _NOTHING,
    Kind.ZERO_PAD: _NOTHING,
    Kind.SCALE: _NOTHING,
    Kind.SUBTRACT: _NOTHING,
    Kind.ADD: _NOTHING,
    Kind.CONCATENATE: _NOTHING,
    Kind.FLATTEN: _NOTHING,
}


def saving_of(layer: Layer) -> Saving:
    """Return which of a layer's tensors it keeps."""
    if layer.kind is Kind.AVERAGE_POOL and is_global(layer):
        return _NOTHING  # a mean, whose derivative needs the size alone
    return _BY_KIND[layer.kind]


def own_bytes(layer: Layer, batch_size: int, element_B: int) -> int:
    """Return the bytes that a layer keeps beside its inputs and its output."""
    if layer.kind is Kind.BATCH_NORM:
        return 2 * STATISTIC_B * layer.output_CHW[0]
    if layer.kind is Kind.NORM:
        return 2 * STATISTIC_B * batch_size * layer.outputs // max(1, layer.output_CHW[-1])
    if layer.kind is Kind.MAX_POOL:
        return INDEX_B * batch_size * layer.outputs
    if layer.kind is Kind.DROPOUT:
        return element_B * batch_size * layer.outputs
    return 0


def is_global(layer: Layer) -> bool:
    """Whether a pool takes the mean over the whole picture."""
    return layer.adaptive and all(side == 1 for side in layer.output_CHW[1:])
