"""What a network moves at least if all that can be done on the way is: batch norm, ReLU and addition cost no pass. No torch.

Eager mode does none of this; compilers do. A lower bound for a device that may run any compiler needs it.
"""

from collections import Counter
from collections.abc import Sequence

from resbench.architectures.layers import Layer
from resbench.metrics.roofline.bytes import POINTWISE, Cost, costs_of, element_size, operands

RULE = "fused: a pointwise layer works on what the layer before it makes, before that is written, where nothing else reads it"


def fused_costs_of(layers: Sequence[Layer], precision: str = "fp32", batch_size: int = 1) -> tuple[Cost, ...]:
    """Return the costs of the passes over memory that are left, in the order in which each one ends."""
    alone = costs_of(layers, precision, batch_size)
    size = batch_size * element_size(precision)
    passes = groups_of(layers)
    return tuple(_joined([alone[at] for at in members], size * _read(members, layers)) for members in passes)


def groups_of(layers: Sequence[Layer]) -> tuple[tuple[int, ...], ...]:
    """Return which layers make one pass, by position: each begins with one that is not pointwise, or can't join."""
    readers = Counter(source for layer in layers for source in set(layer.sources))
    ends: dict[int, list[int]] = {}
    """Passes that can be continued, by the layer that ends them."""
    for at, layer in enumerate(layers):
        joined = [
            source
            for source in set(layer.sources)
            if layer.kind in POINTWISE
            and source >= 0
            and readers[source] == 1
            and layers[source].outputs == layer.outputs
        ]
        # Of two that could be continued, the later one is still at hand.
        members = ends.pop(max(joined)) if joined else []
        ends[at] = [*members, at]
    return tuple(tuple(members) for members in ends.values())


def _read(members: Sequence[int], layers: Sequence[Layer]) -> int:
    """Return the elements for one picture that a pass gets from outside; what it reads twice it keeps."""
    outside: dict[int, int] = {}
    for at in members:
        for source, elements in operands(layers[at], layers).items():
            if source not in members:
                outside[source] = max(elements, outside.get(source, 0))
    return sum(outside.values())


def _joined(costs: Sequence[Cost], read_B: int) -> Cost:
    first, last = costs[0], costs[-1]
    return Cost(
        first.name if len(costs) == 1 else f"{first.name} .. {last.name}",
        first.kind,
        sum(cost.flops for cost in costs),
        sum(cost.weights_B for cost in costs),
        read_B,
        # A dropout at the end writes nothing of its own, but what it handed on was written.
        max(cost.written_B for cost in costs[-2:]),
        all(cost.priced for cost in costs),
    )
