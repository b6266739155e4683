"""The units that the spine of a network consists of between stem and head. No torch.

A residual unit is what stands between an addition and the place where its two sides part. A convolution on the spine
behind the stem is a unit of its own, one without a shortcut, so that plain networks have units, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from resbench.architectures.auditing.dataflow import Graph
from resbench.architectures.auditing.splitting import Join, Token
from resbench.architectures.layers import IMAGE
from resbench.architectures.plan import Kind

POOLS = (Kind.MAX_POOL, Kind.AVERAGE_POOL)

Tokens = tuple[Token, ...]


class Unit(NamedTuple):
    """One unit.

    Attributes:
        name: its module's, where that can be told.
        stage, place: where it stands, from 1 and from 0; a stage ends where the channels or the size change.
        join: how the sides meet: in an addition, a concatenation or the like; None: there is one side only.
        before: what both sides get, behind the last addition.
        branch, shortcut: the two sides of an addition; else all is on the branch.
        after: what is done to the sum.
        split: the node behind which the sides part.
    """

    name: str
    stage: int
    place: int
    join: Kind | None
    before: Tokens
    branch: Tokens
    shortcut: Tokens | None
    after: Tokens
    channels_in: int
    channels: int
    split: int

    @property
    def stride(self) -> int:
        """Product of the strides on the branch."""
        found = 1
        for token in self.branch:
            if token.weighted or token.kind in POOLS:
                found *= token.layer.stride
        return found

    @property
    def resizes(self) -> bool:
        """Whether the output has another shape than the input."""
        return self.stride != 1 or self.channels_in != self.channels


def count_weighted(token: Token) -> int:
    """Return how many convolutions and linear layers it is."""
    return token.weighted + sum(map(count_weighted, token.inside))


def units_of(spine: Sequence[Token | Join], graph: Graph) -> Iterator[Unit]:
    """Return the units of what stands between stem and head, with what follows each; places are filled in later."""
    unit: Unit | None = None
    for element in spine:
        if isinstance(element, Join) or element.weighted or unit is None:
            if unit:
                yield unit
            unit = _joined(element, graph) if isinstance(element, Join) else _single(element)
        else:
            unit = unit._replace(after=(*unit.after, element))
    if unit:
        yield unit


def _single(token: Token) -> Unit:
    layer = token.layer
    return Unit(
        name=layer.name,
        stage=0,
        place=0,
        join=None,
        before=(),
        branch=(token,),
        shortcut=None,
        after=(),
        channels_in=layer.input_CHW[0],
        channels=layer.output_CHW[0],
        split=IMAGE,
    )


def _joined(join: Join, graph: Graph) -> Unit:
    branch: Tokens = tuple(token for side in join.sides for token in side)
    shortcut: Tokens | None = None
    if join.kind is Kind.ADD and len(join.sides) == 2:
        shortcut, branch = sorted(join.sides, key=_work)
    image = graph.layers[0].input_CHW if graph.layers else (0,)
    shape = image if join.split == IMAGE else graph.layer(join.split).output_CHW
    return Unit(
        name=_name(join, branch),
        stage=0,
        place=0,
        join=join.kind,
        before=(),
        branch=branch,
        shortcut=shortcut,
        after=(),
        channels_in=shape[0],
        channels=join.layer.output_CHW[0],
        split=join.split,
    )


def _work(side: Tokens) -> tuple[int, int, int]:
    """The shortcut is the side with fewer weighted layers, then with smaller ones, then the shorter."""
    weighted = [token.layer for token in side if token.weighted]
    deep = sum(map(count_weighted, side))
    return deep, sum(layer.kernel for layer in weighted), len(side)


def _name(join: Join, branch: Tokens) -> str:
    """Return the module that adds, or what the names of the branch share."""
    name = join.layer.name.rpartition(".")[0]
    if name and join.kind is Kind.ADD:
        return name
    paths = [token.layer.name.split(".") for token in branch if token.weighted]
    shared = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared) or join.layer.name


def before_the_next(units: Sequence[Unit]) -> tuple[list[Unit], Tokens]:
    """Hand what follows each addition to the unit behind it, and return what follows the last."""
    moved: list[Unit] = []
    before: Tokens = ()
    for unit in units:
        moved.append(unit._replace(before=before, after=()))
        before = unit.after
    return moved, before


def placed(units: Iterable[Unit]) -> Iterator[Unit]:
    """Number the stages, and the units in each."""
    stage, place, previous = 0, 0, None
    for unit in units:
        pooled = any(token.kind in POOLS for token in (*unit.before, *(previous.after if previous else ())))
        if previous is None or pooled or unit.stride != 1 or unit.channels != previous.channels:
            stage, place = stage + 1, 0
        yield unit._replace(stage=stage, place=place)
        previous, place = unit, place + 1
