"""How everyone counts: each convention is a rule over a ledger's rows, whose terms add up to its number. No torch.

The core count is multiply-accumulates (MACs) of convolutions and linear layers, without bias. Every other convention is
stated in terms beside it, so that a difference between two figures is a difference of rules. What a tool calls FLOPs is
often MACs; `Convention.metric` says what its core is. The rules are in `resbench.metrics.flops.rules`, one file a counter.
"""

from resbench.errors import unknown
from resbench.metrics.flops.ledger import Ledger
from resbench.metrics.flops.rules import calflops, fvcore, ours, ptflops, thop, torchinfo
from resbench.metrics.flops.terms import Convention, Term, Terms

__all__ = ["CONVENTIONS", "Convention", "Term", "Terms", "count", "find_convention", "terms"]

_ALL: dict[str, Convention] = {
    convention.name: convention
    for counter in (ours, fvcore, ptflops, thop, torchinfo, calflops)
    for convention in counter.CONVENTIONS
}
_ORDER = (
    *("core-macs", "flops", "paper2015", "torchvision", "fvcore", "ptflops-pytorch", "ptflops-aten"),
    *("thop", "thop-0.0.31", "torchinfo", "calflops", "flop-counter-mode", "voc-table"),
)
CONVENTIONS = tuple(_ALL[name] for name in _ORDER)
"""Ours, and what each tool counts, as rules that predict its number to the unit."""


def terms(convention: Convention, ledger: Ledger) -> Terms:
    """Return the summands of the count, merged by label and factor, in the order in which they first occur; no zeros."""
    sums: dict[tuple[str, int], int] = {}
    for row in ledger:
        for label, factor, quantity in convention.row(row):
            sums[label, factor] = sums.get((label, factor), 0) + quantity
    return tuple(Term(*key, quantity) for key, quantity in sums.items() if quantity and key[1])


def count(convention: Convention, ledger: Ledger) -> int:
    """Return the count of one forward pass of one picture."""
    return sum(term.value for row in ledger for term in convention.row(row))


def find_convention(name: str) -> Convention:
    """Return the convention called `name`.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name not in _ALL:
        raise unknown("FLOP convention", name, _ALL)
    return _ALL[name]
