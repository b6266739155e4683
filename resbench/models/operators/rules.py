"""Which rule an operator has.

An operator that is not named here is looked into where PyTorch composes it of others, passes its input on where it is a
view, works on each element where PyTorch tags it so, and is unknown otherwise: its layer says that it was not priced.
"""

from typing import Any

import torch

from resbench.architectures.plan import Kind
from resbench.models.operators import elementwise, joining, movement, products, windows
from resbench.models.operators.running import Rule, full_name

_looked_into = movement.composed(elementwise.unknown)
_reads_numbers = movement.reads_numbers(elementwise.unknown)

_NAMES: dict[Rule, str] = {
    windows.convolution: "conv1d conv2d conv3d",
    windows.general_convolution: "convolution _convolution convolution_overrideable",
    windows.pool(Kind.MAX_POOL): "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices "
    "max_pool2d_with_indices max_pool3d_with_indices",
    windows.pool(Kind.AVERAGE_POOL): "avg_pool1d avg_pool2d avg_pool3d",
    windows.adaptive_pool(Kind.MAX_POOL): "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d",
    windows.adaptive_pool(Kind.AVERAGE_POOL): "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "_adaptive_avg_pool2d _adaptive_avg_pool3d",
    windows.mean: "mean",
    products.linear: "linear",
    products.product: "matmul mm bmm mv dot inner",
    products.product_added: "addmm addmv baddbmm",
    products.attention: "scaled_dot_product_attention",
    elementwise.batch_norm: "batch_norm native_batch_norm _native_batch_norm_legit cudnn_batch_norm "
    "_native_batch_norm_legit_no_training",
    elementwise.norm: "layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm "
    "_fused_rms_norm",
    elementwise.alike(Kind.RELU, "relu"): "relu",
    elementwise.alike(Kind.SIGMOID, "sigmoid"): "sigmoid",
    elementwise.alike(
        Kind.ELEMENTWISE
    ): "gelu silu mish hardswish hardsigmoid hardtanh relu6 tanh elu selu celu "
    "leaky_relu softplus log_sigmoid",
    elementwise.softmax: "softmax log_softmax _softmax _log_softmax _safe_softmax",
    elementwise.add: "add",
    elementwise.subtract: "sub rsub subtract",
    elementwise.multiply: "mul multiply",
    elementwise.dropout: "dropout alpha_dropout feature_dropout feature_alpha_dropout",
    elementwise.dropped: "native_dropout bernoulli",
    elementwise.elementwise: "sum prod amax amin max min argmax argmin var std var_mean std_mean cumsum logsumexp "
    "linalg_vector_norm norm all any count_nonzero embedding glu _prelu_kernel rrelu_with_noise "
    "grid_sampler_2d grid_sampler_3d upsample_nearest1d upsample_nearest2d "
    "upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d "
    "_upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_nearest_exact2d",
    joining.concatenate: "cat concat concatenate stack",
    joining.pad: "pad constant_pad_nd",
    movement.slicing: "slice",
    movement.view: "detach",
    movement.zeros: "zeros_like new_zeros zero",
    movement.filled: "ones_like new_ones full_like new_full empty_like new_empty new_empty_strided fill rand_like "
    "randn_like",
    movement.copied: "copy",
    movement.moved: "clone _to_copy repeat roll flip rot90 index index_select gather index_put scatter "
    "masked_scatter repeat_interleave pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle im2col "
    "tril triu lift lift_fresh lift_fresh_copy reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d "
    "replication_pad2d replication_pad3d _unsafe_index _unsafe_view slice_scatter select_scatter "
    "view_copy expand_copy unfold_copy",
    # Their signatures say "view", which they are in some cases alone.
    _looked_into: "to einsum",
    _reads_numbers: "_local_scalar_dense equal",
}
_BY_NAME: dict[str, Rule] = {name: rule for rule, names in _NAMES.items() for name in names.split()}
_FOUND: dict[Any, Rule] = {}


def rule_of(func: Any) -> Rule:
    """Return the rule of an operator, an `OpOverload` of any namespace."""
    rule = _FOUND.get(func)
    if rule is None:
        rule = _FOUND[func] = _find(func)
    return rule


def _find(func: Any) -> Rule:
    schema = func._schema  # noqa: SLF001 - nothing else tells views from others
    namespace, _, name = full_name(func).partition("::")
    if namespace == "aten":
        named = _BY_NAME.get(name) or _BY_NAME.get(name.removesuffix("_"))
        if named is not None:
            return named
        if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            return _reads_numbers
    aliases = (given.alias_info for given in schema.returns)
    if torch.Tag.inplace_view in func.tags or any(alias and not alias.is_write for alias in aliases):
        return movement.view
    if namespace in ("aten", "prims"):
        if not any("Tensor" in str(argument.type) for argument in schema.arguments):
            return movement.factory
        if torch.Tag.pointwise in func.tags:
            return elementwise.elementwise
    return _looked_into
