"""Where the dataflow of a network parts and joins again: the spine of what every path passes, and the sides between. No torch.

The spine is the chain of dominators of the output (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm).
"""

from typing import NamedTuple

from resbench.architectures.auditing.dataflow import Graph, Node
from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind


class Gate(NamedTuple):
    """What a side is multiplied by: what computes it, from which node, and whether it is 1 - that."""

    tokens: "tuple[Token, ...]"
    origin: int
    complement: bool


class Token(NamedTuple):
    """One operation.

    Attributes:
        layer: that does it.
        gate: of a product with a gate.
        inside: of a join within a side: all that stands on its own sides.
    """

    kind: Kind
    layer: Layer
    gate: Gate | None = None
    inside: "tuple[Token, ...]" = ()

    @property
    def weighted(self) -> bool:
        """Whether it is a convolution or a linear layer."""
        return self.kind in (Kind.CONVOLUTION, Kind.LINEAR)


class Join(NamedTuple):
    """Where sides that part behind the node `split` meet: in an addition, a concatenation or the like.

    Attributes:
        sides: what stands on each; one side with all of it, where the sides are entangled.
    """

    kind: Kind
    layer: Layer
    split: int
    sides: tuple[tuple[Token, ...], ...]


def spine_of(graph: Graph) -> tuple[Token | Join, ...]:
    """Return what every path from the picture to the output passes, in order."""
    return _Splitting(graph).elements(len(graph.nodes) - 1, IMAGE)


class _Splitting:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.gates: dict[int, Gate] = {}
        self.nodes = list(graph.nodes)
        readers = graph.readers()
        for position, node in enumerate(graph.nodes):
            if node.kind is Kind.MULTIPLY and len(node.sources) == 2:
                self._ungate(position, node, readers)
        self.dominator = self._dominators()

    def _ungate(self, position: int, node: Node, readers: list[int]) -> None:
        """Take a product with a gate as an operation on the other factor, so that the sides stay apart."""
        for gate, other in (node.sources, node.sources[::-1]):
            at = gate
            complement = at != IMAGE and self.nodes[at].kind is Kind.SUBTRACT
            if complement and self.nodes[at].sources:
                at = self.nodes[at].sources[0]
            if at != IMAGE and self.nodes[at].kind is Kind.SIGMOID:
                tokens, origin = self._chain(at, readers)
                self.gates[position] = Gate(tokens, origin, complement)
                self.nodes[position] = node._replace(sources=(other,))
                return

    def _chain(self, at: int, readers: list[int]) -> tuple[tuple[Token, ...], int]:
        """Return what leads to a sigmoid from the last node that others read, too, and that node."""
        found = [at]
        while len(self.nodes[found[-1]].sources) == 1:
            source = self.nodes[found[-1]].sources[0]
            if source == IMAGE or readers[source] > 1:
                break
            found.append(source)
        sources = self.nodes[found[-1]].sources
        return tuple(map(self._token, reversed(found))), sources[0] if sources else IMAGE

    def _dominators(self) -> list[int]:
        """Return, for each node, the last one that every path to it passes."""
        found: list[int] = []
        for node in self.nodes:
            common = node.sources[0] if node.sources else IMAGE
            for source in node.sources[1:]:
                other = source
                while common != other:
                    if common > other:
                        common = found[common]
                    else:
                        other = found[other]
            found.append(common)
        return found

    def elements(self, end: int, start: int) -> tuple[Token | Join, ...]:
        """Return what every path from `start` (without it) to `end` (with it) passes."""
        found: list[Token | Join] = []
        while end != start:
            joins = len(set(self.nodes[end].sources)) > 1
            found.append(self._join(end) if joins else self._token(end))
            end = self.dominator[end]
        return tuple(reversed(found))

    def _join(self, position: int) -> Join:
        split = self.dominator[position]
        sources = self.nodes[position].sources
        between = [self._between(source, split) for source in sources]
        everything = set().union(*between)
        if len(everything) == sum(map(len, between)):
            sides = tuple(self._side(source, split) for source in sources)
        else:
            sides = (tuple(self._token(at) for at in sorted(everything)),)
        return Join(self.nodes[position].kind, self.graph.layer(position), split, sides)

    def _between(self, end: int, start: int) -> set[int]:
        """Return the nodes on the paths from `start` (without it) to `end` (with it)."""
        found: set[int] = set()
        waiting = [end]
        while waiting:
            at = waiting.pop()
            if at not in (start, IMAGE) and at not in found:
                found.add(at)
                waiting.extend(self.nodes[at].sources)
        return found

    def _side(self, end: int, start: int) -> tuple[Token, ...]:
        return tuple(
            Token(element.kind, element.layer, None, sum(element.sides, ()))
            if isinstance(element, Join)
            else element
            for element in self.elements(end, start)
        )

    def _token(self, position: int) -> Token:
        return Token(self.nodes[position].kind, self.graph.layer(position), self.gates.get(position))
