"""ResNet-18/34/50/101/152 for 224x224 pictures, as torchvision has them, and the VOC table's biased variants."""

from resbench.architectures.description import Architecture, Block, Costs, Shortcut, Stage, Stem
from resbench.specs import Source

_PAPER = Source(
    title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
    where="Table 1; the stride of a bottleneck on its 3x3 convolution, as torchvision (v1.5)",
    url="https://arxiv.org/abs/1512.03385",
)
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


def _resnet(
    depth: int,
    blocks: tuple[int, int, int, int],
    block: Block,
    parameters: int,
    core_macs: int,
    *,
    biased: bool = False,
) -> Architecture:
    strides = (1, 2, 2, 2)
    return Architecture(
        name=f"resnet{depth}_biased" if biased else f"resnet{depth}",
        family="imagenet",
        stem=Stem(channels=64, kernel=7, stride=2, pool=True),
        stages=tuple(Stage(blocks=n, width=64 * 2**i, stride=strides[i]) for i, n in enumerate(blocks)),
        block=block,
        shortcut=Shortcut.PROJECTION,
        classes=1000,
        input_CHW=(3, 224, 224),
        block_bias=biased,
        costs=Costs(parameters=parameters, core_macs=core_macs, source=_VOC if biased else _TORCHVISION),
        source=_VOC if biased else _PAPER,
    )


ARCHITECTURES = (
    _resnet(18, (2, 2, 2, 2), Block.BASIC, 11_689_512, 1_814_073_344),
    _resnet(34, (3, 4, 6, 3), Block.BASIC, 21_797_672, 3_663_761_408),
    _resnet(50, (3, 4, 6, 3), Block.BOTTLENECK, 25_557_032, 4_089_184_256),
    _resnet(101, (3, 4, 23, 3), Block.BOTTLENECK, 44_549_160, 7_801_405_440),
    _resnet(152, (3, 8, 36, 3), Block.BOTTLENECK, 60_192_808, 11_513_626_624),
    _resnet(18, (2, 2, 2, 2), Block.BASIC, 11_693_352, 1_814_073_344, biased=True),
    _resnet(34, (3, 4, 6, 3), Block.BASIC, 21_805_224, 3_663_761_408, biased=True),
)
