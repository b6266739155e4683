"""He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. The errors of plain CIFAR networks exist only as curves.

Source of all: arXiv:1512.03385 (CVPR 2016).
"""

from dataclasses import replace

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source, Tested
from resbench.suites.published.percentages import CIFAR_TEST, IMAGENET_VALIDATION, Table
from resbench.units import GIGA

_TITLE = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)"


def paper(where: str) -> Source:
    """Return the place in the paper."""
    return Source(title=_TITLE, where=where, url="https://arxiv.org/abs/1512.03385")


TABLE_6 = Table(
    source=paper("Table 6"),
    protocol=(
        "error on the CIFAR-10 test set, one view of 32x32; 64,000 iterations of 128 pictures, padded by 4, cropped and "
        "flipped; n not stated"
    ),
    test_samples=CIFAR_TEST,
)
_FIVE_RUNS = replace(TABLE_6, protocol=TABLE_6.protocol.replace("n not stated", "110 layers: five runs"), n=5)


def _million(
    printed: str, *, where: str = "Table 6", source: Source | None = None, protocol: str = ""
) -> Published:
    return Published(
        metric="parameters",
        value=float(printed) * 1e6,
        unit=Unit.ONE,
        printed=f"{printed}M",
        decimals=len(printed.partition(".")[2]),
        statistic=Statistic.COMPUTED,
        protocol=protocol or "trainable parameters with option A and 10 classes, rounded",
        source=source or paper(where),
    )


CIFAR_PARAMETERS = {
    20: _million("0.27"),
    32: _million("0.46"),
    44: _million("0.66"),
    56: _million("0.85"),
    110: _million("1.7"),
    1202: _million("19.4"),
}
"""By depth."""

CIFAR_ERRORS = {
    20: (TABLE_6.figure("8.75"),),
    32: (TABLE_6.figure("7.51"),),
    44: (TABLE_6.figure("7.17"),),
    56: (TABLE_6.figure("6.97"),),
    110: (
        replace(_FIVE_RUNS, statistic=Statistic.MEAN).figure("6.61", std="0.16"),
        replace(_FIVE_RUNS, statistic=Statistic.BEST).figure("6.43"),
    ),
    1202: (TABLE_6.figure("7.93"),),
}
"""By depth, option A; what is compared comes first."""

_TEN_CROP = Table(
    source=paper("Tables 2 and 3"),
    protocol="error on the ImageNet validation set, ten crops of 224x224; one training of 600,000 iterations of 256 pictures",
    test_samples=IMAGENET_VALIDATION,
    tested=Tested(views="ten_crop", sides=(256,), crop=224),
)

TEN_CROP = {
    "plain18": _TEN_CROP.errors("27.94"),
    "plain34": _TEN_CROP.errors("28.54", "10.02"),
    "resnet18_a": _TEN_CROP.errors("27.88"),
    "resnet34_a": _TEN_CROP.errors("25.03", "7.76"),
    "resnet34": _TEN_CROP.errors("24.52", "7.46"),
    "resnet34_c": _TEN_CROP.errors("24.19", "7.40"),
    "resnet50_v1": _TEN_CROP.errors("22.85", "6.71"),
    "resnet101_v1": _TEN_CROP.errors("21.75", "6.05"),
    "resnet152_v1": _TEN_CROP.errors("21.43", "5.71"),
}
"""By model; 34 layers and more have option B where the name says nothing."""

_MULTI_SCALE = Table(
    source=paper("Table 4"),
    protocol=(
        "error on the ImageNet validation set, fully convolutional, averaged over shorter sides of 224, 256, 384, 480 and "
        "640 pixels; one training"
    ),
    test_samples=IMAGENET_VALIDATION,
    tested=Tested(views="multi_scale", sides=(224, 256, 384, 480, 640), crop=None),
)

MULTI_SCALE = {
    "resnet34": _MULTI_SCALE.errors("21.84", "5.71"),
    "resnet34_c": _MULTI_SCALE.errors("21.53", "5.60"),
    "resnet50_v1": _MULTI_SCALE.errors("20.74", "5.25"),
    "resnet101_v1": _MULTI_SCALE.errors("19.87", "4.60"),
    "resnet152_v1": _MULTI_SCALE.errors("19.38", "4.49"),
}
"""By model."""


def _billion(printed: str, where: str) -> Published:
    return Published(
        metric="macs",
        value=float(printed) * GIGA,
        unit=Unit.ONE,
        printed=f"{printed}e9 FLOPs",
        decimals=1,
        statistic=Statistic.COMPUTED,
        protocol="multiply-adds of one picture of 3x224x224, called FLOPs, rounded",
        source=paper(where),
    )


FLOPS = {
    "resnet18_a": _billion("1.8", "Table 1"),
    "resnet34_a": _billion("3.6", "Table 1 and Figure 3"),
    "plain34": _billion("3.6", "Table 1 and Figure 3"),
    "resnet50_v1": _billion("3.8", "Table 1"),
    "resnet101_v1": _billion("7.6", "Table 1"),
    "resnet152_v1": _billion("11.3", "Table 1"),
    "vgg16": _billion("15.3", "section 4.1, 'Deeper bottleneck architectures'"),
    "vgg19": _billion("19.6", "Figure 3"),
}
"""By model."""
