"""The parts of a network that `resbench show` shows, with their sums: the lines of its tree."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.outline import Node, outline, tree_of
from resbench.architectures.plan import Kind
from resbench.architectures.receptive_field import Field, fields_of
from resbench.models.layering import Layered

_ENOUGH_LINES = 5
"""A tree of somebody else's network is opened until it has as many."""

_WORDS = {
    Kind.CONVOLUTION: "convolution",
    Kind.MAX_POOL: "max-pool",
    Kind.AVERAGE_POOL: "average pool",
}


class Part(NamedTuple):
    """One line.

    Attributes:
        level: 1 for stem, stages, head.
        last: for each level from the second down to this part's: whether it is the last of its siblings.
        unpriced: operators in it whose cost can't be told.
    """

    name: str
    path: str
    level: int
    last: tuple[bool, ...]
    what: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    field: Field
    unpriced: tuple[str, ...]
    children: "tuple[Part, ...]"


def by(shape: Sequence[int]) -> str:
    """Return a shape as "64x56x56"."""
    return "x".join(map(str, shape))


def parts_of(shown: Layered, depth: int | None) -> tuple[Part, ...]:
    """Return the parts down to a depth: stem, stages and head of our networks, modules by their names of others."""
    fields = fields_of(shown.layers, shown.input_CHW)
    nodes = outline(shown.layers) if shown.architecture else tree_of(shown.layers)
    if depth is None:
        depth = 1 if shown.architecture else _enough(nodes)
    return tuple(_part(node, shown.layers, fields, (), depth) for node in nodes)


def _enough(nodes: Sequence[Node]) -> int:
    depth, level = 1, list(nodes)
    while len(level) < _ENOUGH_LINES and any(node.children for node in level):
        level = [child for node in level for child in (node.children or (node,))]
        depth += 1
    return depth


def _part(
    node: Node, layers: Sequence[Layer], fields: Sequence[Field], last: tuple[bool, ...], depth: int
) -> Part:
    held = [layers[at] for at in node.layers]
    level = len(last) + 1
    children = node.children if level < depth else ()
    unpriced = dict.fromkeys(layer.operator or layer.name for layer in held if layer.kind is Kind.UNKNOWN)
    return Part(
        name=node.name,
        path=node.path,
        level=level,
        last=last,
        what=_described(held[0]) if len(held) == 1 else f"{len(held)} layers",
        output=held[-1].output_CHW,
        parameters=sum(layer.parameters for layer in held),
        macs=sum(layer.macs for layer in held),
        field=fields[node.layers[-1]],
        unpriced=tuple(unpriced),
        children=tuple(
            _part(child, layers, fields, (*last, child is children[-1]), depth) for child in children
        ),
    )


def _described(layer: Layer) -> str:
    """Return what a layer does, with its window: "convolution 3x3 / 2, 32 groups"."""
    if layer.kind in (Kind.UNKNOWN, Kind.ELEMENTWISE, Kind.NORM) and layer.operator:
        return f"{layer.kind}: {layer.operator.removeprefix('aten.')}"
    words = _WORDS.get(layer.kind, str(layer.kind))
    if layer.adaptive:
        return f"{words} to {by(layer.output_CHW[1:]) or '1x1'}"
    if layer.kind in _WORDS:
        words += f" {layer.kernel}x{layer.kernel}"
    words += f" / {layer.stride}" if layer.stride > 1 else ""
    words += f", dilation {layer.dilation}" if layer.dilation > 1 else ""
    return words + (f", {layer.groups} groups" if layer.groups > 1 else "")


def walked(parts: Sequence[Part]) -> Iterator[Part]:
    """Return the parts with those in them, from the top of the tree to its bottom."""
    for part in parts:
        yield part
        yield from walked(part.children)
