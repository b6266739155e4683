"""What a count is made of: terms, and the conventions that give them for a row of a ledger. No torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from resbench.architectures.description import Architecture
from resbench.architectures.plan import Kind
from resbench.metrics.flops.ledger import Row

WEIGHTED = "MACs of convolutions and linear layers"
MATMULS = "MACs of matrix products"
CONVOLUTION_BIAS = "convolution biases (elements out)"
LINEAR_BIAS = "linear biases (elements out)"
BATCH_NORM = "batch-norm elements"
NORM = "elements of other norms"
RELU = "ReLU elements"
ACTIVATION = "elements of other activations"
SOFTMAX = "softmax elements"
MAX_POOL = "elements into max-pools"
AVERAGE_POOL = "elements into average pools"
ADAPTIVE_POOL = "elements into adaptive average pools"
POOLED = "elements out of average pools"
UPSAMPLED = "elements out of upsampling"

WEIGHTED_MODULES = frozenset(
    ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Linear")
)
"""PyTorch's own classes, by exact name: tools that hook modules know no subclass of them."""


class Term(NamedTuple):
    """One summand of a count: `factor` operations for each of `quantity`.

    Attributes:
        label: what is counted, as "batch-norm elements".
        factor: operations for each.
        quantity: how many there are.
    """

    label: str
    factor: int
    quantity: int

    @property
    def value(self) -> int:
        """The operations."""
        return self.factor * self.quantity


Terms = tuple[Term, ...]


def _as_it_is(architecture: Architecture) -> Architecture:
    return architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One way of counting.

    Attributes:
        name: as in `Suite.flops_convention`, the command line and the reports.
        metric: what its core is: `macs`, where a multiply-accumulate is one operation, or `flops`, where it is two.
        rule: the rule in words.
        row: the rule: the terms of a row; they may be zero.
        tool: the tool and version it was checked with; empty for a convention that is no tool's.
        form: the network that a figure by this convention is of, for one that is asked for.
    """

    name: str
    metric: str
    rule: str
    row: Callable[[Row], Terms]
    tool: str = ""
    form: Callable[[Architecture], Architecture] = _as_it_is


def core(row: Row, factor: int = 1) -> Terms:
    """Return the multiply-accumulates, `factor` operations each."""
    return (Term(MATMULS if row.kind is Kind.MATMUL else WEIGHTED, factor, row.macs),)


def biases(row: Row) -> Terms:
    """Return one addition for each element out of a convolution or linear layer with a bias."""
    label = CONVOLUTION_BIAS if row.kind is Kind.CONVOLUTION else LINEAR_BIAS
    return (Term(label, 1, row.bias_additions),)


def is_fused_attention(row: Row) -> bool:
    """Whether the row is inside attention that runs as one operator, which many counters don't know."""
    return row.operator == "aten.scaled_dot_product_attention"
