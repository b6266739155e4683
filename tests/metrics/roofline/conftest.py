"""A made-up block of layers, and what ran when it was called."""

import pytest

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind


@pytest.fixture
def block() -> tuple[Layer, ...]:
    """Return relu(stem + relu(bn(conv(stem)))): one ReLU module that runs twice, and an addition that is none."""
    plane, weights = (8, 4, 4), 8 * 8 * 9

    def convolution(name: str, source: int) -> Layer:
        macs = weights * 4 * 4
        return Layer(
            name, Kind.CONVOLUTION, plane, plane, (source,), weights, 0, macs, 3, 1, 1, module="Conv2d"
        )

    return (
        convolution("stem", IMAGE),
        convolution("block.conv", 0),
        Layer("block.bn", Kind.BATCH_NORM, plane, plane, (1,), 2 * 8, module="BatchNorm2d"),
        Layer("block.relu", Kind.RELU, plane, plane, (2,), module="ReLU"),
        Layer("block.add", Kind.ADD, plane, plane, (3, 0)),
        Layer("block.relu", Kind.RELU, plane, plane, (4,), module="ReLU"),
    )
