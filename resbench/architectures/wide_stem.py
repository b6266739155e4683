"""ResNet-18 to -152 for 32x32 pictures: the stages of the networks for 224x224 behind a 3x3 stem of 64 channels.

The form of many public CIFAR repositories, and not that of He et al. 2015, section 4.2, whose stem has 16 channels.
"""

from dataclasses import replace

from resbench.architectures.description import Architecture, Costs
from resbench.architectures.forms import Stem
from resbench.architectures.imagenet import COUNTED, imagenet_body
from resbench.specs import Source

_SOURCE = Source(
    title="kuangliu/pytorch-cifar",
    where="models/resnet.py",
    url="https://github.com/kuangliu/pytorch-cifar",
)


def _network(depth: int, parameters: int, core_macs: int) -> Architecture:
    return Architecture(
        name=f"cifar_wide_stem_resnet{depth}",
        family="cifar_wide_stem",
        body=replace(imagenet_body(depth), stem=Stem(channels=64, kernel=3, stride=1, pool=False)),
        classes=10,
        input_CHW=(3, 32, 32),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=COUNTED),
        source=_SOURCE,
    )


ARCHITECTURES = (
    _network(18, 11_173_962, 555_422_720),
    _network(34, 21_282_122, 1_159_402_496),
    _network(50, 23_520_842, 1_297_829_888),
    _network(101, 42_512_970, 2_509_983_744),
    _network(152, 58_156_618, 3_722_137_600),
)
