"""The memory of a backward pass, layer by layer, from the last to the first: gradients grow, what was kept is freed. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind
from resbench.metrics.memory.forward import LOSS, Kept
from resbench.metrics.memory.heap import Block, Heap, Purpose
from resbench.metrics.memory.scratch import backward_scratch
from resbench.metrics.memory.setting import Setting


@dataclass(slots=True)
class _Backward:
    """Attributes: gradients: of each layer's output, as far as they have come."""

    heap: Heap
    layers: Sequence[Layer]
    setting: Setting
    gradients: dict[int, Block] = field(default_factory=dict)


_HANDS_ON = (Kind.ADD, Kind.CONCATENATE)
"""The gradients of their inputs are the gradient of their output, or views of it."""


def run_backward(heap: Heap, layers: Sequence[Layer], setting: Setting, kept: Kept) -> None:
    """Run a backward pass on a heap that holds what the forward pass kept; gradients of parameters stay on it."""
    if not layers:
        return
    pass_ = _Backward(heap, layers, setting)
    heap.now = f"{LOSS}, backward"
    pass_.gradients[len(layers) - 1] = _allocate(pass_, layers[-1].outputs)
    heap.release(kept.scores)
    reached = _reached(layers)
    for at in reversed(range(len(layers))):
        layer = layers[at]
        heap.now = f"{layer.name}, backward"
        gradient = pass_.gradients.pop(at, None)
        if gradient is not None and reached[at]:
            _through(pass_, layer, gradient, [source for source in layer.sources if _wants(reached, source)])
        for block in kept.saved[at]:
            heap.release(block)
        if gradient is not None:
            heap.release(gradient)


def _reached(layers: Sequence[Layer]) -> list[bool]:
    """Return whether a gradient has to come to each layer: whether it or one before it has weights."""
    reached: list[bool] = []
    for layer in layers:
        reached.append(bool(layer.parameters) or any(_wants(reached, source) for source in layer.sources))
    return reached


def _wants(reached: Sequence[bool], source: int) -> bool:
    return source != IMAGE and reached[source]


def _through(pass_: _Backward, layer: Layer, gradient: Block, sources: Sequence[int]) -> None:
    """Bring a gradient through one layer: those of its inputs and of its parameters."""
    heap, setting = pass_.heap, pass_.setting
    if layer.kind in _HANDS_ON:
        made = [heap.hold(gradient) for _ in sources]
    elif len(sources) > 1:
        made = [_allocate(pass_, pass_.layers[source].outputs) for source in sources]
    else:
        made = [_allocate(pass_, layer.inputs) for _ in sources]
    if layer.parameters:
        _allocate_gradients(heap, layer, setting)
    if setting.blocked:
        heap.release(heap.allocate(backward_scratch(layer, setting.batch_size, setting.activation_B)))
    for source, block in zip(sources, made, strict=True):
        _arrive(pass_, source, block)


def _allocate_gradients(heap: Heap, layer: Layer, setting: Setting) -> None:
    if not setting.casts or layer.kind not in (Kind.CONVOLUTION, Kind.LINEAR):
        heap.allocate(setting.weight_B * layer.parameters, Purpose.GRADIENTS)
        return
    # That of the copy which autocast made comes first.
    copy = heap.allocate(setting.activation_B * layer.parameters)
    heap.allocate(setting.weight_B * layer.parameters, Purpose.GRADIENTS)
    heap.release(copy)


def _allocate(pass_: _Backward, elements: int) -> Block:
    return pass_.heap.allocate(pass_.setting.activation_B * pass_.setting.batch_size * elements)


def _arrive(pass_: _Backward, source: int, block: Block) -> None:
    """Add a gradient to what another reader of the same output has sent: in place, where nobody else holds that."""
    heap, there = pass_.heap, pass_.gradients.get(source)
    if there is None:
        pass_.gradients[source] = block
        return
    if heap.holders(there) > 1:
        pass_.gradients[source] = _allocate(pass_, pass_.layers[source].outputs)
        heap.release(there)
    heap.release(block)
