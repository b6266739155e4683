"""The memory of a forward pass, layer by layer: what is allocated, what dies, and what is kept for the backward pass. No torch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind
from resbench.metrics.memory.heap import Block, Heap, Purpose
from resbench.metrics.memory.saving import own_bytes, saving_of
from resbench.metrics.memory.scratch import forward_scratch
from resbench.metrics.memory.setting import Setting

LOSS = "loss"
"""Stands for cross entropy among the layers."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the backward pass gets.

    Attributes:
        saved: for each layer, the blocks that it holds.
        scores: what the loss holds: its log-softmax.
    """

    saved: tuple[tuple[Block, ...], ...]
    scores: Block


@dataclass(slots=True)
class _Forward:
    heap: Heap
    layers: Sequence[Layer]
    setting: Setting
    training: bool
    values: list[Block] = field(default_factory=list)
    saved: list[tuple[Block, ...]] = field(default_factory=list)
    casts: list[Block] = field(default_factory=list)


def run_forward(heap: Heap, layers: Sequence[Layer], setting: Setting, *, training: bool) -> Kept:
    """Run a forward pass on a heap that holds weights and images; training with the loss behind it.

    Eager PyTorch frees a tensor when nobody holds it: no layer that saved it, no later layer that reads it, and no call of
    a module that it entered, for that holds its arguments until it returns.
    """
    pass_ = _Forward(heap, layers, setting, training)
    dying = _deaths(layers)
    readers = Counter(source for layer in layers for source in set(layer.sources))
    for at, layer in enumerate(layers):
        heap.now = f"{layer.name}, forward"
        casts = _casts(pass_, layer)
        pass_.values.append(_output(pass_, layer, readers))
        pass_.saved.append((*casts, *_keep(pass_, layer)) if training else ())
        for dead in dying[at]:
            heap.release(pass_.values[dead])
    heap.now = f"{LOSS}, forward"
    scores = _loss(pass_) if training else heap.allocate(0)
    if layers:
        heap.release(pass_.values[-1])
    for cast in pass_.casts:
        heap.release(cast)
    return Kept(tuple(pass_.saved), scores)


def _output(pass_: _Forward, layer: Layer, readers: Counter[int]) -> Block:
    """Return the block in which a layer's output lies: its input's where it is a view or overwrites it."""
    heap, first = pass_.heap, layer.sources[0] if layer.sources else IMAGE
    if layer.kind is Kind.DROPOUT and not pass_.training:
        return heap.hold(pass_.values[first]) if first != IMAGE else heap.allocate(0)
    if first != IMAGE and _overwrites(pass_, layer, readers[first]):
        return heap.hold(pass_.values[first])
    setting = pass_.setting
    made = heap.allocate(setting.activation_B * setting.batch_size * layer.outputs)
    if setting.blocked:
        heap.release(heap.allocate(forward_scratch(layer, setting.batch_size, setting.activation_B)))
    return made


def _casts(pass_: _Forward, layer: Layer) -> tuple[Block, ...]:
    """Return autocast's copies of a layer's weights and of the images: it keeps them to the end of the pass."""
    if not pass_.setting.casts or layer.kind not in (Kind.CONVOLUTION, Kind.LINEAR):
        return ()
    heap, size_B = pass_.heap, pass_.setting.activation_B
    purpose = Purpose.ACTIVATIONS if pass_.training else Purpose.WORKSPACE
    made = [heap.allocate(size_B * layer.parameters, purpose)]
    if IMAGE in layer.sources:
        made.append(heap.allocate(size_B * pass_.setting.batch_size * layer.inputs, purpose))
    pass_.casts += [heap.hold(block) for block in made] if pass_.training else made
    return tuple(made)


def _overwrites(pass_: _Forward, layer: Layer, readers: int) -> bool:
    """Whether a layer works in place: a ReLU or an addition does, unless its first input is needed as it was."""
    if layer.kind not in (Kind.RELU, Kind.ADD) or readers > 1:
        return False
    source = pass_.layers[layer.sources[0]]
    return layer.kind is Kind.RELU or not saving_of(source).output


def _keep(pass_: _Forward, layer: Layer) -> tuple[Block, ...]:
    """Let a layer hold what its derivative reads."""
    heap, saving = pass_.heap, saving_of(layer)
    kept = []
    if saving.inputs:
        sources = [source for source in set(layer.sources) if source != IMAGE]
        kept += [heap.hold(pass_.values[source], Purpose.ACTIVATIONS) for source in sources]
    if saving.output:
        kept.append(heap.hold(pass_.values[-1], Purpose.ACTIVATIONS))
    own_B = own_bytes(layer, pass_.setting.batch_size, pass_.setting.activation_B)
    if own_B:
        kept.append(heap.allocate(own_B, Purpose.ACTIVATIONS))
    return tuple(kept)


def _loss(pass_: _Forward) -> Block:
    """Return the log-softmax, in float32, that cross entropy keeps."""
    classes = pass_.layers[-1].outputs if pass_.layers else 0
    return pass_.heap.allocate(4 * pass_.setting.batch_size * classes, Purpose.ACTIVATIONS)


def _deaths(layers: Sequence[Layer]) -> list[list[int]]:
    """Return, for each layer, whose outputs nobody needs once it has run; the network's own output stays."""
    ends = _last_layers(layers)
    last = list(range(len(layers)))
    for at, layer in enumerate(layers):
        for source in layer.sources:
            if source != IMAGE:
                last[source] = max(last[source], at, *_held_until(layers[source].name, layer.name, ends))
    dying: list[list[int]] = [[] for _ in layers]
    for at, end in enumerate(last[:-1]):
        dying[end].append(at)
    return dying


def _last_layers(layers: Sequence[Layer]) -> dict[str, int]:
    """Return, for the path of each module, its last layer."""
    ends: dict[str, int] = {}
    for at, layer in enumerate(layers):
        for path in _paths(layer.name):
            ends[path] = at
    return ends


def _held_until(source: str, reader: str, ends: dict[str, int]) -> list[int]:
    """Return the last layers of the modules that a tensor entered on its way from one layer to another."""
    left = set(_paths(source))
    return [ends[path] for path in _paths(reader) if path not in left]


def _paths(name: str) -> list[str]:
    """Return the modules around a layer: `layer1` and `layer1.0` of `layer1.0.conv1`."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]
