"""A network's anatomy, found in its dataflow: stem, units, what follows the last one, head. No torch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resbench.architectures.auditing.dataflow import Graph, graph_of
from resbench.architectures.auditing.splitting import Join, Token, spine_of
from resbench.architectures.auditing.units import (
    Tokens,
    Unit,
    before_the_next,
    count_weighted,
    placed,
    units_of,
)
from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind


class Anatomy(NamedTuple):
    """What a network consists of.

    Attributes:
        preactivated: whether the branches of most residual units begin with a norm or an activation.
        last: between the last addition and the pooling, in a pre-activated network.
        head: the pooling and what follows.
        parameters: numbers in all layers.
    """

    stem: Tokens
    units: tuple[Unit, ...]
    preactivated: bool
    last: Tokens
    head: Tokens
    graph: Graph
    parameters: int

    @property
    def depth(self) -> int:
        """Weighted layers but for shortcuts and gates, as He et al. count."""
        branches = (token for unit in self.units for token in unit.branch)
        return sum(map(count_weighted, (*self.stem, *branches, *self.head)))


def anatomy_of(layers: Sequence[Layer]) -> Anatomy:
    """Return the anatomy of a network whose last layer is its output."""
    graph = graph_of(layers)
    spine = spine_of(graph)
    end = _head(spine)
    begin = min(_stem(spine), end)
    units = list(units_of(spine[begin:end], graph))
    residual = [unit for unit in units if unit.join is Kind.ADD and unit.branch]
    preactivated = 2 * sum(not unit.branch[0].weighted for unit in residual) > len(residual)
    last: Tokens = ()
    if preactivated:
        units, last = before_the_next(units)
    return Anatomy(
        stem=_only_tokens(spine[:begin]),
        units=tuple(placed(units)),
        preactivated=preactivated,
        last=last,
        head=_only_tokens(spine[end:]),
        graph=graph,
        parameters=sum(layer.parameters for layer in layers),
    )


def is_plain(anatomy: Anatomy) -> bool:
    """Whether no unit has more than one side."""
    return all(unit.join is None for unit in anatomy.units)


def without_shortcuts(anatomy: Anatomy) -> Anatomy:
    """Return the anatomy of the network without its shortcuts: each convolution is a unit of its own."""
    tokens = [
        token
        for unit in anatomy.units
        for token in (*unit.before, *unit.branch, *unit.after)
        if not token.gate
    ]
    units = tuple(placed(units_of(tokens, anatomy.graph)))
    return anatomy._replace(units=units, preactivated=False)


def _stem(spine: Sequence[Token | Join]) -> int:
    """Return where the stem ends: at the first sides, or at the second convolution of a network that has none."""
    for position, element in enumerate(spine):
        if isinstance(element, Join):
            return position
    weighted = [at for at, element in enumerate(spine) if isinstance(element, Token) and element.weighted]
    return weighted[1] if len(weighted) > 1 else len(spine)


def _head(spine: Sequence[Token | Join]) -> int:
    """Return where the head begins: at the global pooling, or at the first linear layer, behind all sides."""
    at = len(spine)
    while at and _may_be_head(spine[at - 1]):
        at -= 1
    for position in range(at, len(spine)):
        element = spine[position]
        if element.kind is Kind.LINEAR or _is_global(element):
            return position
    return len(spine)


def _may_be_head(element: Token | Join) -> bool:
    return isinstance(element, Token) and element.kind is not Kind.CONVOLUTION


def _is_global(element: Token | Join) -> bool:
    layer = element.layer
    if element.kind is not Kind.AVERAGE_POOL:
        return False
    return layer.adaptive or all(side == 1 for side in layer.output_CHW[1:])


def _only_tokens(elements: Iterable[Token | Join]) -> Tokens:
    return tuple(element for element in elements if isinstance(element, Token))
