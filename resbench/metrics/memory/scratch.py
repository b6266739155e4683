"""The scratch space of convolutions on the CPU: oneDNN works on copies in a layout of its own. No torch.

A rule found by measuring single convolutions (oneDNN 3.13, AVX-512, float32): pointwise ones of stride 1 take tensors as they
are. The others copy weights and, of contiguous tensors, the larger of input and output for the forward pass, and both for
the backward pass. It matters where the peak lies at a layer of large weights; elsewhere a larger moment hides it.
"""

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind


def forward_scratch(layer: Layer, batch_size: int, element_B: int) -> int:
    """Return the bytes that a layer needs beside its input and output, while it runs forward."""
    if not _copies(layer):
        return 0
    return element_B * (layer.weights + batch_size * max(layer.inputs, layer.outputs))


def backward_scratch(layer: Layer, batch_size: int, element_B: int) -> int:
    """Return the bytes that a layer needs beside gradients, while it runs backward."""
    if not _copies(layer):
        return 0
    return element_B * (layer.weights + batch_size * (layer.inputs + layer.outputs))


def _copies(layer: Layer) -> bool:
    return layer.kind is Kind.CONVOLUTION and (layer.kernel, layer.stride) != (1, 1)
