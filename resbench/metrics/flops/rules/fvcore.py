"""fvcore's FlopCountAnalysis: it sees the operators of a traced model, whichever module calls them."""

from resbench.architectures.plan import Kind
from resbench.metrics.flops.ledger import Row
from resbench.metrics.flops.terms import (
    ADAPTIVE_POOL,
    BATCH_NORM,
    NORM,
    UPSAMPLED,
    Convention,
    Term,
    Terms,
    core,
    is_fused_attention,
)

_NORMS = ("aten.layer_norm", "aten.group_norm", "aten.instance_norm")
_UPSAMPLING = {"aten.upsample_nearest2d": 1, "aten.upsample_bilinear2d": 4}
_UNSEEN_PRODUCTS = ("aten.baddbmm", "aten.addmv", "aten.mv", "aten.dot")


def _row(row: Row) -> Terms:
    if row.kind is Kind.BATCH_NORM:
        return (Term(BATCH_NORM, 2 if row.weights else 1, row.inputs),)
    if row.kind is Kind.NORM and row.operator in _NORMS:
        return (Term(NORM, 5 if row.weights else 4, row.inputs),)
    if row.kind is Kind.AVERAGE_POOL and row.adaptive and row.operator in ("", "aten.adaptive_avg_pool2d"):
        return (Term(ADAPTIVE_POOL, 1, row.inputs),)
    if row.operator in _UPSAMPLING:
        return (Term(UPSAMPLED, _UPSAMPLING[row.operator], row.outputs),)
    if is_fused_attention(row) or row.operator in _UNSEEN_PRODUCTS:
        return ()
    return core(row)


CONVENTIONS = (
    Convention(
        name="fvcore",
        metric="macs",
        rule="core without fused attention + 2 x batch-norm elements + 5 x those of other norms + elements into adaptive "
        "average pools; no bias, activation or addition",
        tool="fvcore 0.1.5.post20221221",
        row=_row,
    ),
)
