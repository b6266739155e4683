"""ptflops: its default backend hooks modules and patches functions, the other one sees ATen operators."""

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
    UPSAMPLED,
    WEIGHTED_MODULES,
    Convention,
    Term,
    Terms,
    biases,
    core,
    is_fused_attention,
)

ATTENTION = "MultiheadAttention"
_NORMS = frozenset(
    [
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "InstanceNorm1d",
        "InstanceNorm2d",
        "InstanceNorm3d",
        "GroupNorm",
    ]
)
_POOLS = frozenset(
    f"{prefix}{what}Pool{dimension}d"
    for prefix in ("", "Adaptive")
    for what in ("Max", "Avg")
    for dimension in "123"
)
_ACTIVATIONS = frozenset(["ReLU", "PReLU", "ELU", "LeakyReLU", "ReLU6", "GELU"])
_PATCHED = frozenset(
    ["aten.relu", "aten.prelu", "aten._prelu_kernel", "aten.elu", "aten.relu6", "aten.gelu", "aten.silu"]
)
_PATCHED_PRODUCTS = frozenset(["aten.matmul", "aten.mm", "aten.bmm", "aten.addmm", "aten.baddbmm"])


def _pytorch(row: Row) -> Terms:
    if row.module == ATTENTION:
        return _attention(row)
    if row.kind in (Kind.CONVOLUTION, Kind.LINEAR) and row.module in WEIGHTED_MODULES:
        return core(row) + biases(row)
    if row.operator in _PATCHED_PRODUCTS:
        return core(row) + biases(row)
    if row.kind in (Kind.BATCH_NORM, Kind.NORM):
        return _norm(row)
    if row.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
        return _pool(row)
    return _function(row)


def _attention(row: Row) -> Terms:
    """Return the terms of a multi-head attention module; the queries to scale are a quarter of what its projections give."""
    if row.kind is Kind.LINEAR:
        return (*core(row), *biases(row), Term("scaled queries", 1, row.outputs // 4))
    if row.kind is Kind.SOFTMAX:
        return (Term(SOFTMAX, 1, row.outputs),)
    return core(row)


def _norm(row: Row) -> Terms:
    label = BATCH_NORM if row.kind is Kind.BATCH_NORM else NORM
    if row.module == "LayerNorm":
        return (Term(label, 1, row.inputs),)
    if row.module in _NORMS:
        return (Term(label, 2 if row.weights else 1, row.inputs),)
    return ()


def _pool(row: Row) -> Terms:
    """Its hook on a module and its patch of the function that the module calls both count."""
    if row.operator == "aten.mean":
        return ()
    times = 2 if row.module in _POOLS else 1
    return (Term(MAX_POOL if row.kind is Kind.MAX_POOL else AVERAGE_POOL, times, row.inputs),)


def _function(row: Row) -> Terms:
    """Return the terms of activations, softmax and upsampling: the hook on a module, and the patch of a function."""
    if row.kind is Kind.RELU or row.operator in _PATCHED or row.module in _ACTIVATIONS:
        patched = row.kind is Kind.RELU or row.operator in _PATCHED
        times = int(patched) + int(row.module in _ACTIVATIONS)
        return (Term(RELU if row.kind is Kind.RELU else ACTIVATION, times, row.outputs),)
    if row.kind is Kind.SOFTMAX and not is_fused_attention(row):
        return (Term(SOFTMAX, 1, row.inputs),)
    if row.operator.startswith("aten.upsample"):
        return (Term(UPSAMPLED, 2 if row.module == "Upsample" else 1, row.outputs),)
    return ()


def _aten(row: Row) -> Terms:
    if is_fused_attention(row) or row.operator == "aten.baddbmm":
        return ()
    return core(row) + biases(row)


CONVENTIONS = (
    Convention(
        name="ptflops-pytorch",
        metric="macs",
        rule="core of modules and of attention modules + biases + 2 x batch-norm elements + 2 x (ReLU elements + elements "
        "into pools); a functional call once",
        tool="ptflops 0.7.5",
        row=_pytorch,
    ),
    Convention(
        name="ptflops-aten",
        metric="macs",
        rule="core without fused attention + biases",
        tool="ptflops 0.7.5",
        row=_aten,
    ),
)
