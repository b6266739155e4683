"""The backward pass in closed form, from the same rows as the forward pass. No torch.

A convolution or linear layer costs its MACs once for the gradient of its weights, and once for that of its input unless
none is needed: none flows to the picture. A product of two activations costs its MACs for the gradient of each. Of every
other operation, and of biases, the elements that come out of it are counted, once, where a gradient passes through it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from resbench.architectures.plan import Kind
from resbench.metrics.flops.conventions import Convention, Term, Terms
from resbench.metrics.flops.ledger import ELEMENTS, WEIGHTED, Category, Ledger, Row

WEIGHT_GRADIENTS = "MACs of the gradients of weights"
INPUT_GRADIENTS = "MACs of the gradients of inputs"
UNGROUPED = (
    "MACs that it adds for grouped convolutions, whose gradients of weights it takes for ungrouped ones"
)


def weight_gradient_macs(row: Row) -> int:
    """Return the multiply-accumulates of the gradients of weights; a product of two activations has none."""
    return 0 if row.kind is Kind.MATMUL else row.macs


def _core(row: Row, factor: int = 1) -> Terms:
    return (
        Term(WEIGHT_GRADIENTS, factor, weight_gradient_macs(row)),
        Term(INPUT_GRADIENTS, factor, row.input_gradient_macs),
    )


def _flops(row: Row) -> Terms:
    return _core(row, 2)


def _flop_counter_mode(row: Row) -> Terms:
    # torch.utils.flop_counter gets the shape of the whole gradient, and no groups.
    ungrouped = row.ungrouped_macs - row.macs if row.kind is Kind.CONVOLUTION else 0
    return (*_core(row, 2), Term(UNGROUPED, 2, ungrouped))


RULES: Mapping[str, Callable[[Row], Terms]] = MappingProxyType(
    {
        "core-macs": _core,
        "flops": _flops,
        "flop-counter-mode": _flop_counter_mode,
    }
)
"""The conventions that define a backward pass; every other one counts the forward pass only."""


def backward_terms(convention: Convention, ledger: Ledger) -> Terms | None:
    """Return the summands of the backward pass for one picture, as `terms`; None: the convention is forward only."""
    rule = RULES.get(convention.name)
    if rule is None:
        return None
    sums: dict[tuple[str, int], int] = {}
    for row in ledger:
        for label, factor, quantity in rule(row):
            sums[label, factor] = sums.get((label, factor), 0) + quantity
    return tuple(Term(*key, quantity) for key, quantity in sums.items() if quantity)


def backward_count(convention: Convention, ledger: Ledger) -> int | None:
    """Return the count of the backward pass for one picture; None: the convention is forward only."""
    found = backward_terms(convention, ledger)
    return None if found is None else sum(term.value for term in found)


def backward_categories(ledger: Ledger) -> dict[Category, int]:
    """Return what is counted in the backward pass, by category; no zeros."""
    sums: dict[Category, int] = {}
    for row in ledger:
        for category, quantity in _counted(row):
            sums[category] = sums.get(category, 0) + quantity
    return {category: sums[category] for category in Category if sums.get(category)}


def _counted(row: Row) -> tuple[tuple[Category, int], ...]:
    if row.kind in WEIGHTED:
        macs, bias = WEIGHTED[row.kind]
        return (macs, weight_gradient_macs(row) + row.input_gradient_macs), (bias, row.bias_additions)
    return ((ELEMENTS[row.kind], row.gradient_elements),) if row.kind in ELEMENTS else ()
