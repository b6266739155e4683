"""The layers of a described network, in order, with their shapes and costs in closed form. No torch.

Names are those of the module that `resbench.models.build` makes, which are torchvision's: `layer1.0.conv1`. A block's
one ReLU runs several times: `relu1`, `relu2` inside, `relu` at its end. Its addition, `add`, is no module.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from resbench.architectures.description import Architecture, Block, Shortcut, Stage
from resbench.errors import UsageError


class Kind(StrEnum):
    """What a layer does; each kind costs by its own rule."""

    CONVOLUTION = "convolution"
    BATCH_NORM = "batch norm"
    RELU = "relu"
    MAX_POOL = "max-pool"
    AVERAGE_POOL = "average-pool"
    ADD = "residual add"
    ZERO_PAD = "zero padding"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer for one input picture. Shapes are (channels, height, width)."""

    name: str
    kind: Kind
    input_CHW: tuple[int, int, int]
    output_CHW: tuple[int, int, int]
    kernel: int = 1
    groups: int = 1
    bias: bool = False

    @property
    def weights(self) -> int:
        """Trainable numbers, without the bias of a convolution or linear layer."""
        if self.kind in (Kind.CONVOLUTION, Kind.LINEAR):
            return self.kernel**2 * self.input_CHW[0] // self.groups * self.output_CHW[0]
        return 2 * self.output_CHW[0] if self.kind is Kind.BATCH_NORM else 0

    @property
    def biases(self) -> int:
        """Numbers in the bias."""
        return self.output_CHW[0] if self.bias else 0

    @property
    def parameters(self) -> int:
        """All trainable numbers."""
        return self.weights + self.biases

    @property
    def inputs(self) -> int:
        """Elements that go in."""
        return prod(self.input_CHW)

    @property
    def outputs(self) -> int:
        """Elements that come out."""
        return prod(self.output_CHW)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a convolution or linear layer, no bias; 0 for every other kind."""
        if self.kind in (Kind.CONVOLUTION, Kind.LINEAR):
            return self.weights * self.output_CHW[1] * self.output_CHW[2]
        return 0


def layers_of(
    architecture: Architecture, input_CHW: tuple[int, int, int] | None = None, classes: int | None = None
) -> tuple[Layer, ...]:
    """Return every layer of the network in the order in which it runs.

    Args:
        architecture: the description.
        input_CHW: channels, height and width of the picture; default: the architecture's own.
        classes: outputs of the head; default: the architecture's own.

    Raises:
        UsageError: the input is not three positive numbers, or not of three channels; or there is not one class.
    """
    shape = check_input(architecture.input_CHW if input_CHW is None else input_CHW)
    outputs = architecture.classes if classes is None else classes
    if outputs < 1:
        raise UsageError(f"a network needs at least one class, found {outputs}")
    return tuple(_layers(architecture, shape, outputs))


def check_input(input_CHW: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the shape, if a network can take it: three channels, at least one pixel.

    Raises:
        UsageError: it can't.
    """
    if input_CHW[0] != 3 or min(input_CHW) < 1:
        found = "x".join(map(str, input_CHW))
        raise UsageError(
            f"input {found} is not a picture: give 3 channels, height and width, as in 3x224x224"
        )
    return input_CHW


def _layers(architecture: Architecture, shape: tuple[int, int, int], classes: int) -> Iterator[Layer]:
    stem = architecture.stem
    yield from (pair := _conv("conv1", shape, stem.channels, stem.kernel, stem.stride, bn="bn1"))
    shape = pair[-1].output_CHW
    yield Layer(name="relu", kind=Kind.RELU, input_CHW=shape, output_CHW=shape)
    if stem.pool:
        pooled = _reduced(shape, shape[0], 2)
        yield Layer(name="maxpool", kind=Kind.MAX_POOL, input_CHW=shape, output_CHW=pooled, kernel=3)
        shape = pooled
    for number, stage in enumerate(architecture.stages, start=1):
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            for layer in _block(architecture, stage, f"layer{number}.{index}", shape, stride):
                yield layer
            shape = layer.output_CHW
    flat = (shape[0], 1, 1)
    yield Layer(name="avgpool", kind=Kind.AVERAGE_POOL, input_CHW=shape, output_CHW=flat)
    yield Layer(name="fc", kind=Kind.LINEAR, input_CHW=flat, output_CHW=(classes, 1, 1), bias=True)


def _block(
    architecture: Architecture, stage: Stage, name: str, shape: tuple[int, int, int], stride: int
) -> Iterator[Layer]:
    inside = shape
    plan = convolutions(architecture, stage.width, stride)
    for number, (channels, kernel, step, groups) in enumerate(plan, start=1):
        convolution = Layer(
            name=f"{name}.conv{number}",
            kind=Kind.CONVOLUTION,
            input_CHW=inside,
            output_CHW=_reduced(inside, channels, step),
            kernel=kernel,
            groups=groups,
            bias=architecture.block_bias and architecture.block is Block.BASIC,
        )
        inside = convolution.output_CHW
        yield convolution
        yield Layer(name=f"{name}.bn{number}", kind=Kind.BATCH_NORM, input_CHW=inside, output_CHW=inside)
        if number < len(plan):
            yield Layer(name=f"{name}.relu{number}", kind=Kind.RELU, input_CHW=inside, output_CHW=inside)
    yield from _shortcut(architecture.shortcut, name, shape, inside, stride)
    yield Layer(name=f"{name}.relu", kind=Kind.RELU, input_CHW=inside, output_CHW=inside)


def _shortcut(
    shortcut: Shortcut, name: str, shape: tuple[int, int, int], inside: tuple[int, int, int], stride: int
) -> Iterator[Layer]:
    if is_projected(shortcut, shape[0], inside[0], stride):
        yield from _conv(f"{name}.downsample.0", shape, inside[0], 1, stride, bn=f"{name}.downsample.1")
    elif shortcut is Shortcut.ZERO_PAD and resizes(shape[0], inside[0], stride):
        yield Layer(name=f"{name}.downsample", kind=Kind.ZERO_PAD, input_CHW=shape, output_CHW=inside)
    if shortcut is not Shortcut.NONE:
        yield Layer(name=f"{name}.add", kind=Kind.ADD, input_CHW=inside, output_CHW=inside)


def resizes(channels_in: int, channels_out: int, stride: int) -> bool:
    """Whether a block's output has another shape than its input."""
    return stride != 1 or channels_in != channels_out


def is_projected(shortcut: Shortcut, channels_in: int, channels_out: int, stride: int) -> bool:
    """Whether a block's shortcut is a 1x1 convolution: option B where the shape changes, option C everywhere."""
    if shortcut is Shortcut.PROJECTION:
        return resizes(channels_in, channels_out, stride)
    return shortcut is Shortcut.PROJECTION_EVERYWHERE


def convolutions(
    architecture: Architecture, width: int, stride: int
) -> tuple[tuple[int, int, int, int], ...]:
    """Return (output channels, kernel, stride, groups) of each convolution of a block, in order."""
    if architecture.block is Block.BASIC:
        return ((width, 3, stride, 1), (width, 3, 1, 1))
    inner = architecture.inner_width(width)
    first, second = (stride, 1) if architecture.stride_on_1x1 else (1, stride)
    return (
        (inner, 1, first, 1),
        (inner, 3, second, architecture.groups),
        (width * architecture.block.expansion, 1, 1, 1),
    )


def _conv(
    name: str, shape: tuple[int, int, int], channels: int, kernel: int, stride: int, *, bn: str
) -> tuple[Layer, Layer]:
    out = _reduced(shape, channels, stride)
    return (
        Layer(name=name, kind=Kind.CONVOLUTION, input_CHW=shape, output_CHW=out, kernel=kernel),
        Layer(name=bn, kind=Kind.BATCH_NORM, input_CHW=out, output_CHW=out),
    )


def _reduced(shape: tuple[int, int, int], channels: int, stride: int) -> tuple[int, int, int]:
    """Every kernel here is odd and padded by half of it, so that the stride alone decides the size."""
    return (channels, -(-shape[1] // stride), -(-shape[2] // stride))
