"""A number as someone printed it, `4.1G`: what it can stand for, since it was rounded, or cut off. No torch."""

import re
from enum import IntEnum
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from resbench.errors import UsageError

_NUMBER = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:[,_][0-9]{3})+|[0-9]{1,30})(?:\.(?P<decimals>[0-9]{1,30}))?(?:e\+?(?P<power>[0-9]{1,2}))?"
    r"\s*(?P<suffix>[kmgbt]?)(?:\s*(?:macs?|flops?|ops|madds?|mult-adds))?",
    re.IGNORECASE,
)
_POWERS = {"": 0, "k": 3, "m": 6, "g": 9, "b": 9, "t": 12}


class Agreement(IntEnum):
    """How a count agrees with a printed number; less is better."""

    ROUNDED = 0
    CUT_OFF = 1
    NONE = 2


class Quoted(NamedTuple):
    """A printed number.

    Attributes:
        text: as it was given.
        value: what it says.
        rounded: the least and the greatest count that rounds to it at the digits printed.
        cut_off: the least and the greatest count that is cut off to it.
    """

    text: str
    value: Fraction
    rounded: tuple[int, int]
    cut_off: tuple[int, int]

    def agreement(self, count: int) -> Agreement:
        """Return whether the count rounds to this number, or is cut off to it, at the digits printed."""
        if self.rounded[0] <= count <= self.rounded[1]:
            return Agreement.ROUNDED
        return Agreement.CUT_OFF if self.cut_off[0] <= count <= self.cut_off[1] else Agreement.NONE

    def off(self, count: int) -> float:
        """Return the count's relative difference to this number."""
        return float((count - self.value) / self.value)


def parse_quoted(text: str) -> Quoted:
    """Return the number that `4.1G`, `4.1e9`, `4089184256` or `4,089,184,256` says; a unit as FLOPs is not looked at.

    Raises:
        UsageError: the text is no number of operations.
    """
    matched = _NUMBER.fullmatch(text.strip())
    if matched is None:
        raise UsageError(f"'{text}' is not a number of operations: give one as 4.1G, 558M or 4089184256")
    decimals = matched["decimals"] or ""
    power = int(matched["power"] or 0) + _POWERS[matched["suffix"].lower()]
    if decimals and not power:
        raise UsageError(f"'{text}' is no whole number of operations: say of what, as in {text}G or {text}M")
    digits = int(re.sub("[,_]", "", matched["whole"]) + decimals)
    unit = Fraction(10) ** (power - len(decimals))
    if not digits:
        raise UsageError(f"'{text}' is no operation: give a number above zero, as 4.1G")
    value = digits * unit
    return Quoted(
        text=text.strip(),
        value=value,
        rounded=(ceil(value - unit / 2), floor(value + unit / 2)),
        cut_off=(ceil(value), ceil(value + unit) - 1),
    )
