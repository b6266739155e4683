"""The networks for 224x224 pictures: ResNet-18/34/50/101/152 as torchvision has them, and their variants.

A name fixes its variant: `resnet50` has its strides on the 3x3 convolutions as torchvision's (v1.5), `resnet50_v1` on
the first 1x1 as the paper's; `_a` and `_c` name the shortcut option where it is not B; `_biased` is the VOC table's.
"""

from dataclasses import replace

from resbench.architectures.description import Architecture, Block, Costs, Shortcut, Stage, Stem
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
_VOC = Source(
    title="deep-learning-algorithm/ResNet, commit f185d1d",
    where="py/lib/models/resnet/basic_block.py: the 3x3 convolutions keep their bias",
    url="https://github.com/deep-learning-algorithm/ResNet",
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

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _network(
    name: str, depth: int, parameters: int, core_macs: int, *, source: Source, checked: Source
) -> Architecture:
    strides = (1, 2, 2, 2)
    return Architecture(
        name=name,
        family="imagenet",
        stem=Stem(channels=64, kernel=7, stride=2, pool=True),
        stages=tuple(
            Stage(blocks=blocks, width=64 * 2**index, stride=strides[index])
            for index, blocks in enumerate(_BLOCKS[depth])
        ),
        block=Block.BASIC if depth < 50 else Block.BOTTLENECK,
        shortcut=Shortcut.PROJECTION,
        classes=1000,
        input_CHW=(3, 224, 224),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=checked),
        source=source,
    )


def _resnet(depth: int, parameters: int, core_macs: int) -> Architecture:
    return _network(f"resnet{depth}", depth, parameters, core_macs, source=_V1_5, checked=_TORCHVISION)


def _biased(depth: int, parameters: int, core_macs: int) -> Architecture:
    found = _network(f"resnet{depth}_biased", depth, parameters, core_macs, source=_VOC, checked=_VOC)
    return replace(found, block_bias=True)


def _v1(depth: int, parameters: int, core_macs: int) -> Architecture:
    found = _network(f"resnet{depth}_v1", depth, parameters, core_macs, source=_V1, checked=_PAPER)
    return replace(found, stride_on_1x1=True)


def _option(name: str, depth: int, shortcut: Shortcut, parameters: int, core_macs: int) -> Architecture:
    found = _network(name, depth, parameters, core_macs, source=_PAPER, checked=_PAPER)
    return replace(found, shortcut=shortcut)


def _grouped(
    name: str, depth: int, parameters: int, core_macs: int, *, groups: int, group_width: int
) -> Architecture:
    source = _WIDE if groups == 1 else _RESNEXT
    found = _network(name, depth, parameters, core_macs, source=source, checked=_TORCHVISION)
    return replace(found, groups=groups, group_width=group_width)


ARCHITECTURES = (
    _resnet(18, 11_689_512, 1_814_073_344),
    _resnet(34, 21_797_672, 3_663_761_408),
    _resnet(50, 25_557_032, 4_089_184_256),
    _resnet(101, 44_549_160, 7_801_405_440),
    _resnet(152, 60_192_808, 11_513_626_624),
    _v1(50, 25_557_032, 3_857_973_248),
    _v1(101, 44_549_160, 7_570_194_432),
    _v1(152, 60_192_808, 11_282_415_616),
    _option("resnet18_a", 18, Shortcut.ZERO_PAD, 11_515_688, 1_794_805_760),
    _option("resnet18_c", 18, Shortcut.PROJECTION_EVERYWHERE, 12_043_816, 1_878_298_624),
    _option("resnet34_a", 34, Shortcut.ZERO_PAD, 21_623_848, 3_644_493_824),
    _option("resnet34_c", 34, Shortcut.PROJECTION_EVERYWHERE, 22_716_840, 3_830_747_136),
    _option("plain18", 18, Shortcut.NONE, 11_515_688, 1_794_805_760),
    _option("plain34", 34, Shortcut.NONE, 21_623_848, 3_644_493_824),
    _biased(18, 11_693_352, 1_814_073_344),
    _biased(34, 21_805_224, 3_663_761_408),
    _grouped("wide_resnet50_2", 50, 68_883_240, 11_398_021_120, groups=1, group_width=128),
    _grouped("wide_resnet101_2", 101, 126_886_696, 22_753_050_624, groups=1, group_width=128),
    _grouped("resnext50_32x4d", 50, 25_028_904, 4_230_479_872, groups=32, group_width=4),
    _grouped("resnext101_32x8d", 101, 88_791_336, 16_414_015_488, groups=32, group_width=8),
    _grouped("resnext101_64x4d", 101, 83_455_272, 15_460_270_080, groups=64, group_width=4),
)
