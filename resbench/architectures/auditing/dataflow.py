"""The dataflow of a network in one canonical form: equal for the same function of the same layers, however it is coded.

Names, the order in which independent branches run, and what does nothing (an identity, a ReLU of a ReLU) leave no trace.
Neither do the size of the picture and the number of classes.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind

Form = tuple[Any, ...]
"""What a node does to its inputs: numbers and words, without the size of the picture."""

_COMMUTATIVE = (Kind.ADD, Kind.MULTIPLY)
_WEIGHTED = (Kind.CONVOLUTION, Kind.LINEAR, Kind.BATCH_NORM, Kind.NORM)
_TOLD_BY_OPERATOR = (Kind.ELEMENTWISE, Kind.UNKNOWN, Kind.NORM, Kind.MATMUL)
GLOBAL = ("global",)
"""The form of a pool over the whole picture."""


class Node(NamedTuple):
    """One operation of the canonical graph.

    Attributes:
        sources: positions of the nodes it reads; `IMAGE` for the picture.
        layer: position of the layer that it was; the last one's where several are one node.
    """

    kind: Kind
    form: Form
    sources: tuple[int, ...]
    layer: int


class Graph(NamedTuple):
    """The nodes that lead to the output, each behind those that it reads; the last is the output.

    Attributes:
        content: all that decides whether two graphs are the same.
    """

    nodes: tuple[Node, ...]
    layers: Sequence[Layer]

    @property
    def content(self) -> tuple[tuple[Kind, Form, tuple[int, ...]], ...]:
        """Kind, form and sources of each node."""
        return tuple(node[:3] for node in self.nodes)

    def layer(self, position: int) -> Layer:
        """Return the layer that a node was."""
        return self.layers[self.nodes[position].layer]

    def readers(self) -> list[int]:
        """Return how many nodes read each node."""
        found = [0] * len(self.nodes)
        for node in self.nodes:
            for source in node.sources:
                if source != IMAGE:
                    found[source] += 1
        return found


def graph_of(layers: Sequence[Layer]) -> Graph:
    """Return the canonical graph of a network whose last layer is its output."""
    merging = _Merging()
    for position, layer in enumerate(layers):
        merging.take(position, layer)
    return _ordered(merging.nodes, merging.value[-1], layers) if layers else Graph((), layers)


class _Merging:
    """Takes layers in order; `value` is the node (or the picture) that each one's output became."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.value: list[int] = []
        self.seen: dict[tuple[Kind, Form, tuple[int, ...]], int] = {}

    def take(self, position: int, layer: Layer) -> None:
        sources = tuple(IMAGE if source == IMAGE else self.value[source] for source in layer.sources)
        if does_nothing(layer):
            self.value.append(sources[0])
            return
        kind, form = _told(layer)
        if kind is Kind.CONCATENATE:
            sources = tuple(inner for source in sources for inner in self._joined(source))
        before = self.nodes[sources[0]] if sources and sources[0] != IMAGE else None
        if kind is Kind.RELU and before and before.kind is Kind.RELU:
            self.value.append(sources[0])
            return
        if kind is Kind.ZERO_PAD and before and before.kind is Kind.ZERO_PAD:
            form, sources = _padded_twice(before.form, form), before.sources
        self.value.append(self._note(Node(kind, form, sources, position)))

    def _joined(self, source: int) -> tuple[int, ...]:
        """A concatenation of a concatenation is one."""
        if source == IMAGE or self.nodes[source].kind is not Kind.CONCATENATE:
            return (source,)
        return self.nodes[source].sources

    def _note(self, node: Node) -> int:
        """Note a node; without weights, it is the same as one that does the same to the same."""
        sources = tuple(sorted(node.sources)) if node.kind in _COMMUTATIVE else node.sources
        key = (node.kind, node.form, sources)
        if node.kind not in _WEIGHTED and key in self.seen:
            return self.seen[key]
        self.nodes.append(node)
        self.seen[key] = len(self.nodes) - 1
        return len(self.nodes) - 1


def does_nothing(layer: Layer) -> bool:
    """Whether a layer's output is its input, seen as a sequence of numbers."""
    if layer.kind is Kind.FLATTEN:
        return True
    if layer.kind is Kind.CONCATENATE:
        return len(layer.sources) == 1 and layer.output_CHW == layer.input_CHW
    if layer.kind not in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        return False
    if layer.adaptive:
        return layer.output_CHW == layer.input_CHW and not _is_global(layer)
    return layer.kernel == 1 and layer.stride == 1 and layer.padding == 0


def _told(layer: Layer) -> tuple[Kind, Form]:
    """Return what a layer does; a pool of single pixels is a subsampling, and so a zero padding by nothing."""
    if layer.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        return _pooled(layer)
    if layer.kind in _TOLD_BY_OPERATOR:
        return layer.kind, (layer.operator, layer.output_CHW[:1], layer.weights, layer.biases)
    tell = _FORMS.get(layer.kind)
    return layer.kind, tell(layer) if tell else ()


def _convolved(layer: Layer) -> Form:
    window = (layer.kernel, layer.stride, layer.padding, layer.groups, layer.dilation)
    taps = layer.macs // max(1, prod(layer.output_CHW[1:]))
    return layer.output_CHW[0], *window, layer.biases > 0, taps, layer.weights > 0


_FORMS: Mapping[Kind, Callable[[Layer], Form]] = {
    Kind.CONVOLUTION: _convolved,
    Kind.LINEAR: lambda layer: (layer.output_CHW[-1], layer.biases > 0, layer.inputs, layer.weights > 0),
    Kind.BATCH_NORM: lambda layer: (layer.weights > 0,),
    Kind.ZERO_PAD: lambda layer: (layer.before, layer.after, layer.stride),
}


def _pooled(layer: Layer) -> tuple[Kind, Form]:
    if _is_global(layer):
        return layer.kind, GLOBAL
    if layer.adaptive:
        return layer.kind, ("to", layer.output_CHW[1:])
    if layer.kernel == 1 and layer.padding == 0:
        return Kind.ZERO_PAD, (0, 0, layer.stride)
    return layer.kind, (layer.kernel, layer.stride, layer.padding)


def _is_global(layer: Layer) -> bool:
    """Whether a pool's one window is the whole picture."""
    if any(side != 1 for side in layer.output_CHW[1:]):
        return False
    return layer.adaptive or (layer.padding == 0 and set(layer.input_CHW[1:]) == {layer.kernel})


def _padded_twice(first: Form, second: Form) -> Form:
    return first[0] + second[0], first[1] + second[1], first[2] * second[2]


def _ordered(nodes: Sequence[Node], output: int, layers: Sequence[Layer]) -> Graph:
    """Return the nodes that lead to the output, in an order that only the graph itself decides."""
    nodes = list(nodes)
    classifier = _classifier(nodes, output)
    if classifier != IMAGE:
        nodes[classifier] = nodes[classifier]._replace(form=("classes", *nodes[classifier].form[1:]))
    keys: list[int] = []
    for node in nodes:
        read = [0 if source == IMAGE else keys[source] for source in node.sources]
        keys.append(hash((*node[:2], tuple(sorted(read) if node.kind in _COMMUTATIVE else read))))
    places: dict[int, int] = {IMAGE: IMAGE}
    found: list[Node] = []
    waiting = [output]
    while waiting:
        at = waiting[-1]
        if at in places:
            waiting.pop()
            continue
        sources = nodes[at].sources
        if nodes[at].kind in _COMMUTATIVE:
            sources = tuple(sorted(sources, key=lambda source: 0 if source == IMAGE else keys[source]))
        missing = [source for source in reversed(sources) if source not in places]
        waiting.extend(missing)
        if not missing:
            places[at] = len(found)
            found.append(nodes[at]._replace(sources=tuple(places[source] for source in sources)))
    return Graph(tuple(found), layers)


def _classifier(nodes: Sequence[Node], output: int) -> int:
    """Return the linear layer that gives the classes, behind which are at most a softmax and the like."""
    at = output
    while at != IMAGE and nodes[at].kind is not Kind.LINEAR:
        if nodes[at].kind not in (Kind.SOFTMAX, Kind.ELEMENTWISE, Kind.SIGMOID):
            return IMAGE
        at = nodes[at].sources[0] if nodes[at].sources else IMAGE
    return at
