"""torchinfo's mult-adds: the weights and biases of the innermost modules, times the output's size for convolutions alone."""

from resbench.architectures.plan import Kind
from resbench.metrics.flops.ledger import Row
from resbench.metrics.flops.terms import Convention, Term, Terms, biases, core

_NOT_INNERMOST = frozenset(["MultiheadAttention"])
_WITH_WEIGHTS = frozenset(["PReLU", "Embedding"])


def _row(row: Row) -> Terms:
    if not row.module or row.module in _NOT_INNERMOST:
        return ()
    if row.kind is Kind.CONVOLUTION and "Conv" in row.module.rpartition(".")[2]:
        return core(row) + biases(row)
    parameters = row.weights + row.biases
    if row.kind is Kind.LINEAR and row.weights == row.macs:
        # A linear layer that runs on one vector.
        return core(row) + biases(row)
    if row.kind is Kind.BATCH_NORM:
        return (Term("batch-norm parameters", 1, parameters),)
    if row.kind in (Kind.CONVOLUTION, Kind.LINEAR, Kind.NORM) or row.module in _WITH_WEIGHTS:
        return (Term(f"parameters of {row.module}", 1, parameters),)
    return ()


CONVENTIONS = (
    Convention(
        name="torchinfo",
        metric="macs",
        rule="MACs and biases of convolutions + the number of weights and biases of every other innermost module, as of batch "
        "norms, however often they are used",
        tool="torchinfo 1.8.0",
        row=_row,
    ),
)
