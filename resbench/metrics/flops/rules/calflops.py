"""calflops, and DeepSpeed's profiler, whose rules it has: patches of functions, so that modules count through them."""

from resbench.architectures.plan import Kind
from resbench.metrics.flops.ledger import Row
from resbench.metrics.flops.terms import (
    ACTIVATION,
    AVERAGE_POOL,
    BATCH_NORM,
    MAX_POOL,
    NORM,
    RELU,
    SOFTMAX,
    Convention,
    Term,
    Terms,
    biases,
    core,
    is_fused_attention,
)

_ACTIVATIONS = frozenset(
    [
        "aten.prelu",
        "aten._prelu_kernel",
        "aten.elu",
        "aten.leaky_relu",
        "aten.relu6",
        "aten.silu",
        "aten.gelu",
    ]
)
_UNPATCHED_PRODUCTS = frozenset(["aten.mm", "aten.bmm", "aten.mv", "aten.addmv", "aten.dot"])

_ELEMENTS = {
    Kind.RELU: RELU,
    Kind.MAX_POOL: MAX_POOL,
    Kind.AVERAGE_POOL: AVERAGE_POOL,
    Kind.SOFTMAX: SOFTMAX,
}


def _row(row: Row) -> Terms:
    if row.kind in (Kind.BATCH_NORM, Kind.NORM):
        return _norm(row)
    if is_fused_attention(row) or row.operator in _UNPATCHED_PRODUCTS or row.operator == "aten.mean":
        return ()
    if row.kind in _ELEMENTS:
        return (Term(_ELEMENTS[row.kind], 1, row.inputs),)
    if row.operator in _ACTIVATIONS:
        return (Term(ACTIVATION, 1, row.inputs),)
    return core(row, 2) + (biases(row) if row.kind is Kind.CONVOLUTION else ())


def _norm(row: Row) -> Terms:
    if row.kind is Kind.BATCH_NORM:
        return (Term(BATCH_NORM, 2 if row.weights else 1, row.inputs),)
    return (Term(NORM, 5 if row.weights else 4, row.inputs),)


CONVENTIONS = (
    Convention(
        name="calflops",
        metric="flops",
        rule="2 x core without fused attention + convolution biases + 2 x batch-norm elements + 5 x those of other norms + "
        "elements of ReLU and into pools",
        tool="calflops 0.3.2",
        row=_row,
    ),
)
