"""The CIFAR networks of He et al. 2016, "Identity Mappings": other shortcuts (Table 1), other orders (Tables 2 and 3).

A name is that of the network with one thing changed: `cifar_resnet110_relu_before_add`. With 110 layers its blocks are
basic and its shortcuts option A, as in 2015; with 164 and 1001 its blocks are bottlenecks, with projections where the
size changes (section 4, "Implementation"). Option C at 110, the 1x1-convolution shortcut of Table 1, is `cifar_resnet110_c`.
"""

from dataclasses import replace

from resbench.architectures.cifar import cifar_body
from resbench.architectures.description import Architecture, Costs
from resbench.architectures.forms import Block, Order, Shortcut
from resbench.architectures.imagenet import COUNTED
from resbench.architectures.plan import Gating
from resbench.architectures.residual import ResidualBody
from resbench.specs import Source


def _paper(where: str) -> Source:
    return Source(
        title="He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (ECCV 2016)",
        where=where,
        url="https://arxiv.org/abs/1603.05027",
    )


def _network(name: str, body: ResidualBody, where: str, parameters: int, core_macs: int) -> Architecture:
    return Architecture(
        name=name,
        family="identity_mappings",
        body=body,
        classes=10,
        input_CHW=(3, 32, 32),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=COUNTED),
        source=_paper(where),
    )


_BASIC = cifar_body(110)


def _bottlenecks(depth: int) -> ResidualBody:
    body = cifar_body(depth, block=Block.BOTTLENECK, shortcut=Shortcut.PROJECTION)
    return replace(body, stride_on_1x1=True)


_FORMS = {110: _BASIC, 164: _bottlenecks(164), 1001: _bottlenecks(1001)}
_SUFFIX = {
    Order.ORIGINAL: "",
    Order.BN_AFTER_ADD: "_bn_after_add",
    Order.RELU_BEFORE_ADD: "_relu_before_add",
    Order.RELU_ONLY_PREACT: "_relu_only_preact",
    Order.FULL_PREACT: "_preact",
}


def _shortcut_form(
    suffix: str, body: ResidualBody, figure: str, parameters: int, core_macs: int
) -> Architecture:
    name = f"cifar_resnet110_{suffix}"
    return _network(name, body, f"section 3 and Table 1; Figure 2({figure})", parameters, core_macs)


def _order_form(depth: int, order: Order, parameters: int, core_macs: int) -> Architecture:
    body = replace(_FORMS[depth], order=order)
    where = "section 4 and Table 2" if depth < 1001 else "section 4 and Table 3"
    return _network(f"cifar_resnet{depth}{_SUFFIX[order]}", body, where, parameters, core_macs)


def _one_layer_skip(suffix: str, order: Order, parameters: int, core_macs: int) -> Architecture:
    body = replace(cifar_body(110, block=Block.SINGLE), order=order)
    where = 'Table 3, "ResNet-110 (1layer skip)"'
    return _network(f"cifar_resnet110_1layer{suffix}", body, where, parameters, core_macs)


ARCHITECTURES = (
    _shortcut_form(
        "constant_scaling", replace(_BASIC, shortcut_scale=0.5, branch_scale=0.5), "b", 1_727_962, 252_887_680
    ),
    _shortcut_form(
        "exclusive_gating",
        replace(_BASIC, gating=Gating.EXCLUSIVE, gate_bias=-6.0),
        "c",
        1_824_186,
        266_781_312,
    ),
    _shortcut_form(
        "shortcut_only_gating",
        replace(_BASIC, gating=Gating.SHORTCUT_ONLY, gate_bias=-6.0),
        "d",
        1_824_186,
        266_781_312,
    ),
    _shortcut_form("dropout_shortcut", replace(_BASIC, shortcut_dropout=0.5), "f", 1_727_962, 252_887_680),
    _order_form(110, Order.BN_AFTER_ADD, 1_727_962, 252_887_680),
    _order_form(110, Order.RELU_BEFORE_ADD, 1_727_962, 252_887_680),
    _order_form(110, Order.RELU_ONLY_PREACT, 1_727_962, 252_887_680),
    _order_form(110, Order.FULL_PREACT, 1_727_962, 252_887_680),
    _order_form(164, Order.ORIGINAL, 1_704_154, 244_500_992),
    _order_form(164, Order.BN_AFTER_ADD, 1_703_258, 244_500_992),
    _order_form(164, Order.RELU_BEFORE_ADD, 1_704_154, 244_500_992),
    _order_form(164, Order.RELU_ONLY_PREACT, 1_704_154, 244_500_992),
    _order_form(164, Order.FULL_PREACT, 1_703_258, 244_500_992),
    _order_form(1001, Order.ORIGINAL, 10_328_602, 1_487_849_984),
    _order_form(1001, Order.BN_AFTER_ADD, 10_327_706, 1_487_849_984),
    _order_form(1001, Order.RELU_BEFORE_ADD, 10_328_602, 1_487_849_984),
    _order_form(1001, Order.RELU_ONLY_PREACT, 10_328_602, 1_487_849_984),
    _order_form(1001, Order.FULL_PREACT, 10_327_706, 1_487_849_984),
    _one_layer_skip("", Order.ORIGINAL, 1_727_962, 252_887_680),
    _one_layer_skip("_preact", Order.FULL_PREACT, 1_727_962, 252_887_680),
)
