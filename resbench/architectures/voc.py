"""The residual networks of the published VOC 07+12 table: biased basic blocks, and a swapped pre-activation order."""

from dataclasses import replace

from resbench.architectures.description import Architecture
from resbench.architectures.forms import Block, Order
from resbench.architectures.imagenet import imagenet_body, imagenet_network
from resbench.specs import Source

_REPOSITORY = Source(
    title="deep-learning-algorithm/ResNet, commit f185d1d",
    where="py/lib/models/resnet: the 3x3 convolutions of a basic block keep their bias; sizes and GFLOPs in its README",
    url="https://github.com/deep-learning-algorithm/ResNet",
)


def _network(name: str, depth: int, order: Order, parameters: int, core_macs: int) -> Architecture:
    body = imagenet_body(depth)
    body = replace(body, order=order, block_bias=body.block is Block.BASIC)
    return imagenet_network(name, body, parameters, core_macs, source=_REPOSITORY, checked=_REPOSITORY)


ARCHITECTURES = (
    _network("resnet18_biased", 18, Order.ORIGINAL, 11_693_352, 1_814_073_344),
    _network("resnet34_biased", 34, Order.ORIGINAL, 21_805_224, 3_663_761_408),
    _network("resnet34_voc_preact", 34, Order.SWAPPED_PREACT, 21_804_328, 3_663_761_408),
    _network("resnet101_voc_preact", 101, Order.SWAPPED_PREACT, 44_545_192, 7_801_405_440),
)
