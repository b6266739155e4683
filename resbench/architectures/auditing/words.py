"""What a person calls layers and rows of layers. No torch."""

from collections.abc import Iterable
from itertools import groupby

from resbench.architectures.auditing.splitting import Token
from resbench.architectures.auditing.units import POOLS, Tokens
from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind

_WORDS = {Kind.CONVOLUTION: "conv", Kind.BATCH_NORM: "BN", Kind.RELU: "ReLU", Kind.SCALE: "constant"}
_MANY = 8


def word(token: Token) -> str:
    """Return what a person calls an operation."""
    layer = token.layer
    if token.gate:
        return "gate"
    if token.kind in POOLS:
        return pool(layer)
    if token.kind in (Kind.ELEMENTWISE, Kind.UNKNOWN, Kind.NORM):
        return layer.module or layer.operator.removeprefix("aten.") or layer.name.rpartition(".")[2]
    return _WORDS.get(token.kind, str(token.kind))


def row(tokens: Iterable[Token]) -> str:
    """Return operations in their order, as `conv-BN-ReLU`."""
    return "-".join(map(word, tokens)) or "nothing"


def pool(layer: Layer) -> str:
    """Return kind, window and stride of a pool."""
    if all(side == 1 for side in layer.output_CHW[1:]):
        return f"global {layer.kind}"
    if layer.adaptive:
        return f"{layer.kind} to {'x'.join(map(str, layer.output_CHW[1:]))}"
    return f"{layer.kind} {layer.kernel}x{layer.kernel} / {layer.stride}"


def window(layer: Layer) -> str:
    """Return height x width of a convolution's kernel, and a padding or dilation out of the ordinary."""
    if layer.kind is Kind.LINEAR:
        return "linear"
    pixels = max(1, layer.outputs // layer.output_CHW[0])
    taps = layer.macs * layer.groups // (pixels * layer.output_CHW[0] * layer.input_CHW[0])
    told = f"{layer.kernel}x{max(1, taps // layer.kernel)}"
    if layer.dilation > 1:
        told += f" dilated by {layer.dilation}"
    if layer.padding != layer.dilation * (layer.kernel // 2):
        told += f" with padding {layer.padding}"
    return told


def weighted_layers(tokens: Tokens) -> list[Layer]:
    """Return the convolutions and linear layers, also those of joins within."""
    found: list[Layer] = []
    for token in tokens:
        found += [token.layer] if token.weighted else weighted_layers(token.inside)
    return found


def bias(tokens: Tokens) -> str:
    """Return whether the convolutions have biases."""
    weights = weighted_layers(tokens)
    having = sum(layer.biases > 0 for layer in weights)
    if 0 < having < len(weights):
        return f"in {having} of {len(weights)} convolutions"
    return "yes" if having else "no"


def listed(words: Iterable[str]) -> str:
    """Return the words, three or more of the same as `3 x conv`, and of a long list only the beginning."""
    told: list[str] = []
    for each, run in groupby(words):
        times = len(list(run))
        told += [each] * times if times < 3 else [f"{times} x {each}"]
    more = f" and {len(told) - _MANY} more" if len(told) > _MANY else ""
    return ", ".join(told[:_MANY]) + more
