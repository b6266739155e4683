"""The networks for 224x224 pictures: ResNet-18/34/50/101/152 as torchvision has them, and their variants.

A name fixes its variant: `resnet50` has its strides on the 3x3 convolutions as torchvision's (v1.5), `resnet50_v1` on
the first 1x1 as the paper's; `_a` and `_c` name the shortcut option where it is not B; `_preact` and `_bn_after_add` are
the orders of He et al. 2016, with the stride on the 3x3.
"""

from dataclasses import replace

from resbench.architectures.description import Architecture, Costs
from resbench.architectures.forms import Block, Order, Shortcut, Stage, Stem
from resbench.architectures.residual import ResidualBody
from resbench.specs import Source

_PAPER = Source(
    title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
    where="Table 1 and section 4.1",
    url="https://arxiv.org/abs/1512.03385",
)
_V1_5 = replace(
    _PAPER, where="Table 1; the stride of a bottleneck on its 3x3 convolution, as torchvision (v1.5)"
)
_V1 = replace(_PAPER, where="Table 1; the stride of a bottleneck on its first 1x1 convolution")
_TORCHVISION = Source(
    title="torchvision 0.29.1",
    where="torchvision/models/resnet.py: num_params and _ops of the IMAGENET1K_V1 weights",
    url="https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py",
)
_WIDE = Source(
    title="Zagoruyko, Komodakis: Wide Residual Networks (BMVC 2016)",
    where="Table 8; twice the channels in the 3x3 convolution of each bottleneck",
    url="https://arxiv.org/abs/1605.07146",
)
_RESNEXT = Source(
    title="Xie, Girshick, Dollár, Tu, He: Aggregated Residual Transformations (CVPR 2017)",
    where="Table 1; the 3x3 convolution of each bottleneck in groups",
    url="https://arxiv.org/abs/1611.05431",
)

_PAPER_2016 = Source(
    title="He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (ECCV 2016)",
    where="section 5 and Table 5",
    url="https://arxiv.org/abs/1603.05027",
)
COUNTED = Source(
    title="PyTorch FlopCounterMode",
    where="half of what it counts on the module, and the module's numel",
    url="https://github.com/pytorch/pytorch/blob/main/torch/utils/flop_counter.py",
)

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
"""Units of each stage (He et al. 2015, Table 1; 200: He et al. 2016, section 5)."""


def imagenet_body(depth: int) -> ResidualBody:
    """Return the form of Table 1, with option B and the stride of a bottleneck on its 3x3."""
    strides = (1, 2, 2, 2)
    return ResidualBody(
        stem=Stem(channels=64, kernel=7, stride=2, pool=True),
        stages=tuple(
            Stage(blocks=blocks, width=64 * 2**index, stride=strides[index])
            for index, blocks in enumerate(BLOCKS[depth])
        ),
        block=Block.BASIC if depth < 50 else Block.BOTTLENECK,
        shortcut=Shortcut.PROJECTION,
    )


def imagenet_network(
    name: str, body: ResidualBody, parameters: int, core_macs: int, *, source: Source, checked: Source
) -> Architecture:
    """Return a network for 224x224 pictures of 1000 classes."""
    return Architecture(
        name=name,
        family="imagenet",
        body=body,
        classes=1000,
        input_CHW=(3, 224, 224),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=checked),
        source=source,
    )


def _resnet(depth: int, parameters: int, core_macs: int) -> Architecture:
    body = imagenet_body(depth)
    return imagenet_network(f"resnet{depth}", body, parameters, core_macs, source=_V1_5, checked=_TORCHVISION)


def _v1(depth: int, parameters: int, core_macs: int) -> Architecture:
    body = replace(imagenet_body(depth), stride_on_1x1=True)
    return imagenet_network(f"resnet{depth}_v1", body, parameters, core_macs, source=_V1, checked=_PAPER)


def _option(name: str, depth: int, shortcut: Shortcut, parameters: int, core_macs: int) -> Architecture:
    body = replace(imagenet_body(depth), shortcut=shortcut)
    return imagenet_network(name, body, parameters, core_macs, source=_PAPER, checked=_PAPER)


def _ordered(name: str, depth: int, order: Order, parameters: int, core_macs: int) -> Architecture:
    body = replace(imagenet_body(depth), order=order)
    return imagenet_network(name, body, parameters, core_macs, source=_PAPER_2016, checked=COUNTED)


def _grouped(
    name: str, depth: int, parameters: int, core_macs: int, *, groups: int, group_width: int
) -> Architecture:
    source = _WIDE if groups == 1 else _RESNEXT
    body = replace(imagenet_body(depth), groups=groups, group_width=group_width)
    return imagenet_network(name, body, parameters, core_macs, source=source, checked=_TORCHVISION)


ARCHITECTURES = (
    _resnet(18, 11_689_512, 1_814_073_344),
    _resnet(34, 21_797_672, 3_663_761_408),
    _resnet(50, 25_557_032, 4_089_184_256),
    _resnet(101, 44_549_160, 7_801_405_440),
    _resnet(152, 60_192_808, 11_513_626_624),
    _ordered("resnet200", 200, Order.ORIGINAL, 64_673_832, 15_007_481_856),
    _ordered("resnet101_bn_after_add", 101, Order.BN_AFTER_ADD, 44_541_480, 7_801_405_440),
    _ordered("resnet152_preact", 152, Order.FULL_PREACT, 60_185_128, 11_513_626_624),
    _ordered("resnet200_preact", 200, Order.FULL_PREACT, 64_666_152, 15_007_481_856),
    _v1(50, 25_557_032, 3_857_973_248),
    _v1(101, 44_549_160, 7_570_194_432),
    _v1(152, 60_192_808, 11_282_415_616),
    _option("resnet18_a", 18, Shortcut.ZERO_PAD, 11_515_688, 1_794_805_760),
    _option("resnet18_c", 18, Shortcut.PROJECTION_EVERYWHERE, 12_043_816, 1_878_298_624),
    _option("resnet34_a", 34, Shortcut.ZERO_PAD, 21_623_848, 3_644_493_824),
    _option("resnet34_c", 34, Shortcut.PROJECTION_EVERYWHERE, 22_716_840, 3_830_747_136),
    _option("plain18", 18, Shortcut.NONE, 11_515_688, 1_794_805_760),
    _option("plain34", 34, Shortcut.NONE, 21_623_848, 3_644_493_824),
    _grouped("wide_resnet50_2", 50, 68_883_240, 11_398_021_120, groups=1, group_width=128),
    _grouped("wide_resnet101_2", 101, 126_886_696, 22_753_050_624, groups=1, group_width=128),
    _grouped("resnext50_32x4d", 50, 25_028_904, 4_230_479_872, groups=32, group_width=4),
    _grouped("resnext101_32x8d", 101, 88_791_336, 16_414_015_488, groups=32, group_width=8),
    _grouped("resnext101_64x4d", 101, 83_455_272, 15_460_270_080, groups=64, group_width=4),
)
