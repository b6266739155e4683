"""Which convention and variant yields a number that somebody printed: the search behind `--explain`. No torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer
from resbench.metrics.flops.backward import backward_terms
from resbench.metrics.flops.conventions import CONVENTIONS, Convention, Terms, find_convention, terms
from resbench.metrics.flops.counting import Counts
from resbench.metrics.flops.ledger import Ledger
from resbench.metrics.flops.quoted import Agreement, Quoted
from resbench.metrics.flops.variants import Setting, Variant, variants

_CUT_OFF = 0.25
"""What it takes from a candidate that the number was cut off and not rounded: less than any departure."""

_WINDOW = 1.0
"""How much likelier the likeliest candidate may be than one that is still shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to get a number.

    Attributes:
        conventions: names of those that give this value, in the order of `CONVENTIONS`.
        departures: from what was asked for, in words.
        value: the count, of the whole batch.
        off: its relative difference to the number.
        batch, backward, ledger: what the sum is made of.
        rank: sorts the likeliest first.
    """

    conventions: tuple[str, ...]
    departures: tuple[str, ...]
    value: int
    agreement: Agreement
    off: float
    batch: int
    backward: bool
    ledger: Ledger
    rank: tuple[float, int, int, float]

    def terms(self) -> Terms:
        """Return the summands of the value for one picture."""
        convention = find_convention(self.conventions[0])
        forward = terms(convention, self.ledger)
        return forward + (backward_terms(convention, self.ledger) or ()) if self.backward else forward


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What yields one number.

    Attributes:
        candidates: that agree with it, the likeliest first.
        nearest: where none does, the nearest that depart in one way at most.
    """

    quoted: Quoted
    candidates: tuple[Candidate, ...]
    nearest: tuple[Candidate, ...]


def explain(
    numbers: Sequence[Quoted], asked: Setting, layers: Sequence[Layer], *, most: int | None = None
) -> tuple[Explanation, ...]:
    """Return for each number the conventions and variants that yield it.

    Args:
        numbers: as they were printed.
        asked: the network in question, which variants depart from.
        layers: of an observed network; of a described one they aren't looked at.
        most: the most candidates wanted, and only such as are about as likely as the first; None: all that agree.
    """
    counts = Counts(layers)
    found: list[list[Candidate]] = [[] for _ in numbers]
    near: list[list[Candidate]] = [[] for _ in numbers]
    for variant in _paper_first(variants(asked), asked):
        if most is not None and all(some and variant.price > _limit(some) for some in found):
            break
        for value, conventions in _values(counts, variant, asked):
            for at, number in enumerate(numbers):
                agrees = number.agreement(value) is not Agreement.NONE
                if agrees or len(variant.departures) <= 1:
                    candidate = _candidate(number, variant, value, conventions, counts)
                    _add(candidate, found[at] if agrees else near[at])
    return tuple(
        Explanation(
            quoted=number,
            candidates=_likeliest(agreeing, most),
            nearest=() if agreeing else tuple(sorted(rest, key=lambda one: (abs(one.off), one.rank))[:3]),
        )
        for number, agreeing, rest in zip(numbers, found, near, strict=True)
    )


def _limit(candidates: Sequence[Candidate]) -> float:
    return min(one.rank[0] for one in candidates) + _WINDOW


def _likeliest(candidates: Sequence[Candidate], most: int | None) -> tuple[Candidate, ...]:
    ranked = sorted(candidates, key=lambda one: one.rank)
    if most is None or not ranked:
        return tuple(ranked)
    limit = _limit(ranked)
    return tuple(one for one in ranked[:most] if one.rank[0] <= limit)


def _add(candidate: Candidate, others: list[Candidate]) -> None:
    """Add a candidate unless one that departs less has the same value: then the rest of its departures change nothing."""
    for other in others:
        same = other.value == candidate.value and other.conventions[0] == candidate.conventions[0]
        if same and set(other.departures) <= set(candidate.departures):
            return
    others.append(candidate)


def _paper_form(asked: Setting) -> Architecture | None:
    paper = find_convention("paper2015")
    return None if asked.architecture is None else paper.form(asked.architecture)


def _paper_first(found: Sequence[Variant], asked: Setting) -> list[Variant]:
    """Put the form that the paper counts, where it is another one, beside the one asked for."""
    form = _paper_form(asked)
    if form == asked.architecture:
        return list(found)
    cheap = [
        one._replace(price=0.0) if len(one.departures) == 1 and one.setting.architecture == form else one
        for one in found
    ]
    return sorted(cheap, key=lambda one: one.price)


def _values(counts: Counts, variant: Variant, asked: Setting) -> Iterator[tuple[int, tuple[Convention, ...]]]:
    """Return each value of a variant with the conventions that give it."""
    papers = _paper_form(asked) == variant.setting.architecture and asked.architecture is not None
    by_value: dict[int, list[Convention]] = {}
    for convention in CONVENTIONS:
        if convention.name != "paper2015" or papers:
            value = counts.of(convention, variant.setting)
            if value is not None:
                by_value.setdefault(value, []).append(convention)
    return ((value, tuple(found)) for value, found in by_value.items())


def _candidate(
    number: Quoted, variant: Variant, value: int, conventions: Sequence[Convention], counts: Counts
) -> Candidate:
    setting, agreement = variant.setting, number.agreement(value)
    names = tuple(convention.name for convention in conventions)
    # A form that only the paper counts is half a departure for everyone else.
    price = variant.price + 0.5 * (
        bool(variant.departures) and not variant.price and "paper2015" not in names
    )
    cut = _CUT_OFF * (agreement is Agreement.CUT_OFF)
    off = number.off(value)
    return Candidate(
        conventions=names,
        departures=variant.departures,
        value=value,
        agreement=agreement,
        off=off,
        batch=setting.batch,
        backward=setting.backward,
        ledger=counts.ledger(setting),
        rank=(price + cut, len(variant.departures), CONVENTIONS.index(conventions[0]), abs(off)),
    )
