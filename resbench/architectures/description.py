"""What a catalogued network is: a name, a body that writes down its parts, its exact costs and its sources. No torch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from resbench.architectures.plan import Part
from resbench.specs import Source


class Body(Protocol):
    """The form of a network: a frozen data class whose fields are the choices, and whose `parts` follow from them."""

    def parts(self, classes: int) -> Iterable[Part]:
        """Return the parts of the network, in the order in which they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What the default network costs, as exact numbers, and where they can be checked."""

    parameters: int
    core_macs: int
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One network.

    Attributes:
        name: fixes the variant.
        body: its form, from which the module and every layer's cost follow.
        classes: outputs of the head.
        input_CHW: the input for which `costs` and the published figures hold.
        costs: exact, tested figures for `classes` and `input_CHW`; None where the user chose the form.
        source: where the network was defined.
        aliases: other names of the same network.
    """

    name: str
    family: str
    body: Body
    classes: int
    input_CHW: tuple[int, int, int]
    costs: Costs | None
    source: Source
    aliases: tuple[str, ...] = ()
