"""Which catalogued network some layers are, exactly or nearest. No torch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from resbench.architectures.auditing.anatomy import anatomy_of
from resbench.architectures.auditing.comparing import Difference, Traits, compare
from resbench.architectures.auditing.dataflow import graph_of
from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.errors import UsageError

_OTHERS = 3
_HIDDEN = ("not compared: probabilities of dropouts, constants of scalings, the weights themselves",)


class Candidate(NamedTuple):
    """A catalogued network, and where the audited one differs from it.

    Attributes:
        parameters: of the catalogued network with as many classes as the audited one has.
    """

    name: str
    parameters: int
    differences: tuple[Difference, ...] = ()

    @property
    def distance(self) -> float:
        """Weight of all differences."""
        return sum(difference.weight for difference in self.differences)


_FAR = 12.0
"""Weight of differences from which on a network is not like another."""


class Finding(NamedTuple):
    """What an audit found.

    Attributes:
        matches: the networks that it is, or those that are equally near.
        others: the next nearest.
        how: what is the same where it is exact.
        traits: what was found, in words.
        hidden: what could not be seen.
        classes: outputs of the head; None where there is no head.
        input_CHW: of a module.
    """

    exact: bool
    matches: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    how: str
    traits: Mapping[str, str]
    hidden: tuple[str, ...]
    parameters: int
    classes: int | None
    input_CHW: tuple[int, ...] | None

    @property
    def far(self) -> bool:
        """Whether the nearest network is no relative."""
        return self.matches[0].distance >= _FAR


def audit_layers(
    layers: Sequence[Layer],
    catalogued: Mapping[str, Architecture],
    *,
    parameters: int | None = None,
    input_CHW: tuple[int, ...] | None = None,
) -> Finding:
    """Return which network some layers are.

    Args:
        layers: of the network, the last its output.
        catalogued: the networks to compare with, by name.
        parameters: of the module; default: those in the layers.
        input_CHW: of the picture; default: what the first layer gets.

    Raises:
        UsageError: there are no layers.
    """
    if not layers:
        raise UsageError("the network has no layers: nothing ran")
    anatomy = anatomy_of(layers)
    found = Traits(anatomy)
    having = anatomy.parameters if parameters is None else parameters
    same = _unused(having, anatomy.parameters)
    known = {name: _layers(architecture, layers) for name, architecture in catalogued.items()}
    exact = [
        Candidate(name, _parameters(theirs), same)
        for name, theirs in known.items()
        if _parameters(theirs) == anatomy.parameters and graph_of(theirs).content == anatomy.graph.content
    ]
    ranked = [] if exact else rank(_candidates(found, known, same), having)
    return Finding(
        exact=bool(exact) and not same,
        matches=tuple(exact) or equally_near(ranked, having),
        others=tuple(ranked[len(equally_near(ranked, having)) :][:_OTHERS]),
        how="every layer is the same and reads the same layers" if exact else "",
        traits=told(found),
        hidden=_HIDDEN,
        parameters=having,
        classes=layers[-1].output_CHW[-1] if layers[-1].output_CHW else None,
        input_CHW=layers[0].input_CHW if input_CHW is None else input_CHW,
    )


def against(layers: Sequence[Layer], architecture: Architecture) -> Candidate:
    """Return a catalogued network, and where some layers differ from its."""
    theirs = anatomy_of(_layers(architecture, layers))
    return Candidate(
        architecture.name, theirs.parameters, compare(Traits(anatomy_of(layers)), Traits(theirs))
    )


def _layers(architecture: Architecture, audited: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers for the audited network's picture and classes, or for the network's own picture."""
    size, classes = audited[0].input_CHW, max(1, audited[-1].output_CHW[-1])
    try:
        channels, height, width = size
        return layers_of(architecture, (channels, height, width), classes)
    except (UsageError, ValueError):
        return layers_of(architecture, classes=classes)


def _parameters(layers: Sequence[Layer]) -> int:
    return sum(layer.parameters for layer in layers)


def _unused(having: int, used: int) -> tuple[Difference, ...]:
    if having == used:
        return ()
    return (Difference("parameters", f"{having:,} in the module", f"the {used:,} of the layers that ran"),)


def _candidates(
    found: Traits, known: Mapping[str, Sequence[Layer]], same: tuple[Difference, ...]
) -> Iterator[Candidate]:
    for name, layers in known.items():
        theirs = anatomy_of(layers)
        yield Candidate(name, theirs.parameters, (*compare(found, Traits(theirs)), *same))


def rank(candidates: Iterator[Candidate], parameters: int) -> list[Candidate]:
    """Return the candidates, the nearest first: by differences, then by parameters."""
    return sorted(candidates, key=lambda one: (*_nearness(one, parameters), one.name))


def equally_near(ranked: Sequence[Candidate], parameters: int) -> tuple[Candidate, ...]:
    """Return the first, and those as near as the first."""
    return tuple(one for one in ranked if _nearness(one, parameters) == _nearness(ranked[0], parameters))


def _nearness(candidate: Candidate, parameters: int) -> tuple[float, float]:
    ratio = max(1, candidate.parameters) / max(1, parameters)
    return round(candidate.distance, 6), round(abs(math.log(ratio)), 6)


def told(found: Traits) -> dict[str, str]:
    """Return the traits of the whole and those that units have, in words; of several, all with how many units."""
    words = dict(found.whole)
    units = [found.unit(place) for place in found.units]
    for trait in next(iter(units), {}):
        values = [traits[trait] for traits in units if traits[trait] is not None]
        counts = {value: values.count(value) for value in dict.fromkeys(values)}
        if len(counts) == 1:
            words[trait] = str(values[0])
        elif counts:
            words[trait] = "; ".join(f"{value} ({times} units)" for value, times in counts.items())
    return words
