"""Where two networks differ, in words. No torch."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import NamedTuple

from resbench.architectures.auditing.anatomy import Anatomy, is_plain, without_shortcuts
from resbench.architectures.auditing.dataflow import Graph
from resbench.architectures.auditing.unit_traits import ORDER, UNIT_TRAITS
from resbench.architectures.auditing.whole_traits import AS_IN_UNITS, WHOLE_TRAITS
from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind

Place = tuple[int, int]
"""Stage of a unit, and its place in it."""

_WEIGHTS = {
    "depth": 4.0,
    "shortcuts": 4.0,
    "block": 4.0,
    "width": 3.0,
    ORDER: 3.0,
    "shortcut where the size does not change": 3.0,
    "shortcut where the size changes": 2.0,
    "gate": 3.0,
    "inner width": 2.0,
    "groups": 2.0,
    "stem": 2.0,
    "kernels": 2.0,
    "batch norms": 2.0,
    "projections": 2.0,
}
"""How much a trait weighs when networks are compared; 1 for all others."""

_FOLLOWS = {"units": {"depth"}, "batch norms": {"depth", "width"}}
"""Traits that differ wherever another does."""


class Difference(NamedTuple):
    """One trait in which a network is not as the catalogued one.

    Attributes:
        where: the first unit that differs, and how many do; empty where the whole network does.
        share: of the units that have the trait, those that differ.
    """

    trait: str
    found: str
    expected: str
    where: str = ""
    share: float = 1.0

    @property
    def weight(self) -> float:
        """How much it counts."""
        return _WEIGHTS.get(self.trait, 1.0) * (1 + self.share) / 2


class Traits:
    """All traits of a network: those of the whole at once, those of a unit when they are asked for."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self.whole = {name: tell(anatomy) for name, tell in WHOLE_TRAITS.items()}
        self.units = {(unit.stage, unit.place): unit for unit in anatomy.units}
        self._told: dict[Place, Mapping[str, str | None]] = {}

    def unit(self, place: Place) -> Mapping[str, str | None]:
        """Return the traits of a unit; None for those that it can't have."""
        if place not in self._told:
            unit = self.units[place]
            self._told[place] = {name: tell(unit) for name, tell in UNIT_TRAITS.items()}
        return self._told[place]

    @cached_property
    def plain(self) -> "Traits":
        """Traits of the network without its shortcuts."""
        return Traits(without_shortcuts(self.anatomy))


def compare(found: Traits, expected: Traits) -> tuple[Difference, ...]:
    """Return where a network differs from the expected one, the weightiest first; nothing where they are the same.

    Units are compared stage by stage. A plain network is compared with what a residual one is without its shortcuts.
    """
    ours, theirs = (is_plain(one.anatomy) for one in (found, expected))
    if ours == theirs:
        differences = _compare(found, expected)
    else:
        words = {True: "none: a plain network", False: "around the units"}
        differences = [
            Difference("shortcuts", words[ours], words[theirs]),
            *_compare(found.plain, expected.plain),
        ]
    if not differences and (first := compare_graphs(found.anatomy.graph, expected.anatomy.graph)):
        differences = [first]
    return tuple(sorted(independent(differences), key=lambda difference: -difference.weight))


def _compare(found: Traits, expected: Traits) -> list[Difference]:
    differences = [
        Difference(trait, found.whole[trait], expected.whole[trait])
        for trait in found.whole
        if found.whole[trait] != expected.whole[trait]
    ]
    common = [place for place in found.units if place in expected.units]
    for trait in UNIT_TRAITS:
        pairs = [(place, found.unit(place)[trait], expected.unit(place)[trait]) for place in common]
        both = [(place, one, other) for place, one, other in pairs if one is not None and other is not None]
        unequal = [each for each in both if each[1] != each[2]]
        if unequal:
            place, one, other = unequal[0]
            where = f"{found.units[place].name}, {len(unequal)} of {len(both)} units"
            differences.append(Difference(trait, one, other, where, len(unequal) / len(both)))
    return differences


def independent(differences: Sequence[Difference]) -> list[Difference]:
    """Leave out what another difference brings with it."""
    traits = {difference.trait for difference in differences}
    return [
        difference
        for difference in differences
        if not _FOLLOWS.get(difference.trait, set()) & traits
        # What follows each addition is told by the order of the units.
        and AS_IN_UNITS not in (difference.found, difference.expected)
    ]


def compare_graphs(found: Graph, expected: Graph) -> Difference | None:
    """Return the first layer in which two networks differ; None where they are the same."""
    if found.content == expected.content:
        return None
    for position, (one, other) in enumerate(zip_longest(found.content, expected.content)):
        if one != other:
            ours = found.layer(position) if one else None
            theirs = expected.layer(position) if other else None
            return Difference(
                "layers", _described(ours), _described(theirs), ours.name if ours else "the end"
            )
    return None


def _described(layer: Layer | None) -> str:
    if layer is None:
        return "no more layers"
    shapes = " to ".join("x".join(map(str, shape)) for shape in (layer.input_CHW, layer.output_CHW))
    shared = layer.kind in (Kind.CONVOLUTION, Kind.LINEAR) and not layer.weights
    return f"{layer.kind}, {shapes}" + (", with the weights of a layer before" if shared else "")
