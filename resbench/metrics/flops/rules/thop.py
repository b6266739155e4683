"""thop: hooks on modules of PyTorch's own classes; what a function does, or a module's own parameter, it can't see."""

from resbench.architectures.plan import Kind
from resbench.metrics.flops.ledger import Row
from resbench.metrics.flops.terms import (
    ADAPTIVE_POOL,
    BATCH_NORM,
    NORM,
    POOLED,
    UPSAMPLED,
    WEIGHTED_MODULES,
    Convention,
    Term,
    Terms,
    biases,
    core,
)

_NORMS = frozenset(
    [
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "SyncBatchNorm",
        "LayerNorm",
        "InstanceNorm1d",
        "InstanceNorm2d",
        "InstanceNorm3d",
    ]
)
_POOLS = frozenset(
    ["AvgPool1d", "AvgPool2d", "AvgPool3d", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"]
)
_UPSAMPLES = frozenset(["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"])
_UPSAMPLING = {
    "aten.upsample_nearest1d": 1,
    "aten.upsample_nearest2d": 1,
    "aten.upsample_nearest3d": 1,
    "aten.upsample_linear1d": 5,
    "aten.upsample_bilinear2d": 11,
    "aten.upsample_bicubic2d": 259,
}


def _row(row: Row) -> Terms:
    if row.module in _NORMS:
        label = BATCH_NORM if row.kind is Kind.BATCH_NORM else NORM
        return (Term(label, 4 if row.weights else 2, row.inputs),)
    if row.module in _UPSAMPLES:
        return (Term(UPSAMPLED, _UPSAMPLING.get(row.operator, 0), row.outputs),)
    return _both(row)


def _both(row: Row) -> Terms:
    """Return what old and new versions count alike.

    Neither counts the additions of a pool with a window: DenseNet-121's transitions decide that for the old one, which
    gives 5.731 in the VOC table and would give 5.733.
    """
    if row.kind in (Kind.CONVOLUTION, Kind.LINEAR) and row.module in WEIGHTED_MODULES:
        return core(row)
    if row.module in _POOLS:
        read = row.inputs if row.adaptive else 0
        return Term(ADAPTIVE_POOL, 1, read), Term(POOLED, 1, row.outputs)
    return ()


def _row_0_0_31(row: Row) -> Terms:
    if row.module in _NORMS:
        return (Term(BATCH_NORM, 2, row.inputs),) if row.kind is Kind.BATCH_NORM else ()
    if row.kind is Kind.CONVOLUTION and row.module in WEIGHTED_MODULES:
        return core(row) + biases(row)
    return _both(row)


def _voc_table(row: Row) -> Terms:
    return tuple(Term(label, 2 * factor, quantity) for label, factor, quantity in _row_0_0_31(row))


CONVENTIONS = (
    Convention(
        name="thop",
        metric="macs",
        rule="core of modules + 4 x elements of batch and layer norms + elements into adaptive average pools + elements out "
        "of average pools",
        tool="thop 0.1.1.post2209072238",
        row=_row,
    ),
    Convention(
        name="thop-0.0.31",
        metric="macs",
        rule="core of modules + convolution biases + 2 x batch-norm elements + average pools",
        tool="thop 0.0.31",
        row=_row_0_0_31,
    ),
    Convention(
        name="voc-table",
        metric="flops",
        rule="2 x (core + convolution biases + 2 x batch-norm elements + average pools), of modules: thop 0.0.31 doubled",
        row=_voc_table,
    ),
)
