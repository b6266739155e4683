"""The layers of a network as a tree: stem, stages and head, their units, their layers. No torch."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind


class Node(NamedTuple):
    """A part of a network.

    Attributes:
        name: beside its siblings.
        path: dotted, of the module; for a stem, stage or head that is no module, its name.
        layers: positions of its layers among all of the network, in the order in which they run.
        children: its parts; none of a single layer.
    """

    name: str
    path: str
    layers: tuple[int, ...]
    children: "tuple[Node, ...]" = ()


def outline(layers: Sequence[Layer]) -> tuple[Node, ...]:
    """Return stem, stages and head of a catalogued network; their children are units, whose children are layers.

    Stages are the modules that hold units. What runs before them is the stem, or, where several max-pools end runs of
    layers as in VGG, a stage for each; what runs after them is the head.
    """
    sections: list[Node] = []
    for name, places in _sections(layers):
        chosen = [(_unfeatured(layers[at].name), at) for at in places]
        is_module = all(path.partition(".")[0] == name and "." in path for path, _ in chosen)
        inner = [(path.partition(".")[2] if is_module else path, at) for path, at in chosen]
        path = _common(layers[at].name for at in places) if is_module else name
        sections.append(Node(name, path, tuple(places), tuple(_units(inner, layers))))
    return tuple(sections)


def tree_of(layers: Sequence[Layer]) -> tuple[Node, ...]:
    """Return the tree of the layers' dotted names, for any network."""
    return tuple(_nested([(layer.name.split("."), at) for at, layer in enumerate(layers)], ""))


def _nested(paths: Sequence[tuple[list[str], int]], prefix: str) -> Iterator[Node]:
    """Return a node for each first component, in the order in which they first run; a layer stands for itself."""
    inside: dict[str, list[tuple[list[str], int]]] = {}
    order: list[tuple[str, int | None]] = []
    for (first, *rest), at in paths:
        if not rest:
            order.append((first, at))
            continue
        if first not in inside:
            order.append((first, None))
        inside.setdefault(first, []).append((rest, at))
    for name, place in order:
        path = f"{prefix}{name}"
        if place is not None:
            yield Node(name, path, (place,))
        else:
            held = tuple(at for _, at in inside[name])
            yield Node(name, path, held, tuple(_nested(inside[name], f"{path}.")))


def _unfeatured(path: str) -> str:
    """Return a path without the `features` that vgg and densenet put all but their head into."""
    return path.removeprefix("features.")


def _sections(layers: Sequence[Layer]) -> Iterator[tuple[str, list[int]]]:
    tops = [_unfeatured(layer.name).partition(".")[0] for layer in layers]
    single = ["." not in _unfeatured(layer.name) for layer in layers]
    head = _head(layers, single)
    stages = [at for at in range(head) if not single[at]]
    begin = stages[0] if stages else head
    runs = list(_runs(layers, range(begin)))
    for number, run in enumerate(runs, start=1):
        yield ("stem" if len(runs) == 1 else f"stage{number}"), run
    for name, places in groupby(range(begin, head), key=lambda at: tops[at]):
        yield name, list(places)
    yield "head", list(range(head, len(layers)))


def _head(layers: Sequence[Layer], single: Sequence[bool]) -> int:
    """Return where the head begins: at the adaptive pool, or the norm and activation that stand before it alone."""
    head = next((at for at, layer in enumerate(layers) if layer.adaptive), len(layers))
    while head and single[head - 1] and layers[head - 1].kind in (Kind.BATCH_NORM, Kind.RELU):
        head -= 1
    return head


def _runs(layers: Sequence[Layer], places: Iterable[int]) -> Iterator[list[int]]:
    """Return the runs that a max-pool ends."""
    run: list[int] = []
    for at in places:
        run.append(at)
        if layers[at].kind is Kind.MAX_POOL:
            yield run
            run = []
    if run:
        yield run


def _units(inner: Sequence[tuple[str, int]], layers: Sequence[Layer]) -> Iterator[Node]:
    """Return a node for each unit, with its layers; a layer that is in no unit stands for itself."""
    for unit, group in groupby(
        inner, key=lambda pair: pair[0].rpartition(".")[0] and pair[0].partition(".")[0]
    ):
        pairs = list(group)
        leaves = tuple(
            Node(path.partition(".")[2] if unit else path, layers[at].name, (at,)) for path, at in pairs
        )
        if unit:
            path = _common(layers[at].name for _, at in pairs)
            yield Node(unit, path, tuple(at for _, at in pairs), leaves)
        else:
            yield from leaves


def _common(paths: Iterable[str]) -> str:
    """Return the dotted path that all begin with."""
    split = [path.split(".") for path in paths]
    shared = []
    for parts in zip(*(path[:-1] for path in split), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)
