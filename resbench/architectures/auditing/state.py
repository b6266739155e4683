"""Names and shapes of a state dict: those that a described network's has, and what any one's tell of its layers. No torch."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, Shape, layers_of
from resbench.architectures.plan import Kind

Tensor = tuple[str, Shape]
"""Name and shape."""

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_SHORTCUT = re.compile(r"downsample|shortcut|skip|proj|residual|identity|match", re.IGNORECASE)
CONVOLUTION, LINEAR, BATCH_NORM, OTHER = "conv", "linear", "BN", "other"


class Held(NamedTuple):
    """What a state dict holds of one layer.

    Attributes:
        path: dotted name of its module.
        kind: `conv`, `linear`, `BN`, or `other`: tensors that are none of these.
        shape: of the weight: (channels out, channels in / groups, height, width), (features out, in) or (channels,).
    """

    path: str
    kind: str
    shape: Shape
    bias: bool

    @property
    def content(self) -> tuple[str, Shape, bool]:
        """All but the name."""
        return self.kind, self.shape, self.bias

    @property
    def on_shortcut(self) -> bool:
        """Whether the name says that it is on a shortcut or in a gate."""
        return _SHORTCUT.search(self.path) is not None or self.path.rpartition(".")[2] == "gate"


def state_of(architecture: Architecture, classes: int | None = None) -> tuple[Tensor, ...]:
    """Return names and shapes of the state dict of the module that `resbench.models.build` makes, in its order."""
    once: dict[str, tuple[Tensor, ...]] = {}
    for layer in layers_of(architecture, classes=classes):
        if layer.parameters and layer.name not in once:
            once[layer.name] = tuple(_tensors(layer))
    return tuple(tensor for tensors in once.values() for tensor in tensors)


def _tensors(layer: Layer) -> Iterable[Tensor]:
    channels = layer.output_CHW[0]
    if layer.kind is Kind.CONVOLUTION:
        kernel = (layer.kernel, layer.kernel)
        yield f"{layer.name}.weight", (channels, layer.input_CHW[0] // layer.groups, *kernel)
    elif layer.kind is Kind.LINEAR:
        yield f"{layer.name}.weight", (channels, layer.inputs)
    else:
        yield f"{layer.name}.weight", (channels,)
    if layer.biases or layer.kind is Kind.BATCH_NORM:
        yield f"{layer.name}.bias", (channels,)
    if layer.kind is Kind.BATCH_NORM:
        yield from (
            (f"{layer.name}.{name}", () if name == _STATISTICS[-1] else (channels,)) for name in _STATISTICS
        )


def held_by(tensors: Sequence[Tensor]) -> tuple[Held, ...]:
    """Return the layers that a state dict tells of, in the order of their first tensors."""
    modules: dict[str, dict[str, Shape]] = {}
    for name, shape in tensors:
        path, _, leaf = name.rpartition(".")
        modules.setdefault(path, {})[leaf] = shape
    return tuple(held for path, leaves in modules.items() for held in _held(path, leaves))


def _held(path: str, leaves: dict[str, Shape]) -> Iterable[Held]:
    weight = leaves.get("weight")
    if weight is None or len(weight) not in (1, 2, 4):
        yield from (Held(f"{path}.{leaf}", OTHER, shape, bias=False) for leaf, shape in leaves.items())
        return
    known: tuple[str, ...] = ("weight", "bias")
    if len(weight) == 1:
        is_norm = "running_mean" in leaves and "bias" in leaves
        yield Held(path, BATCH_NORM if is_norm else OTHER, weight, bias="bias" in leaves)
        known = (*known, *_STATISTICS)
    else:
        yield Held(path, CONVOLUTION if len(weight) == 4 else LINEAR, weight, bias="bias" in leaves)
    rest = {leaf: shape for leaf, shape in leaves.items() if leaf not in known}
    yield from (Held(f"{path}.{leaf}", OTHER, shape, bias=False) for leaf, shape in rest.items())


def classifier(held: Sequence[Held]) -> Held | None:
    """Return the linear layer that gives the classes: the last by its name of those whose outputs no other takes."""
    linear = [one for one in held if one.kind == LINEAR]
    taken = {one.shape[1] for one in linear}
    free = [one for one in linear if one.shape[0] not in taken] or linear
    return max(free, key=lambda one: _natural(one.path), default=None)


def _natural(path: str) -> list[tuple[int, str]]:
    """`layer10` comes after `layer9`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", path)]
