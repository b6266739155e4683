"""DenseNet-121 as torchvision has it: each layer's output is concatenated to its input."""

from collections.abc import Iterator
from dataclasses import dataclass

from resbench.architectures.description import Architecture, Costs
from resbench.architectures.plan import Chain, Dense, Kind, Part, Step, batch_norm, convolution, relu
from resbench.specs import Source

_PAPER = Source(
    title="Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks (CVPR 2017)",
    where="Table 1",
    url="https://arxiv.org/abs/1608.06993",
)
_TORCHVISION = Source(
    title="torchvision 0.29.1",
    where="torchvision/models/densenet.py: num_params and _ops of the IMAGENET1K_V1 weights",
    url="https://github.com/pytorch/vision/blob/main/torchvision/models/densenet.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseBody:
    """Stem, dense blocks with transitions between them, batch norm, ReLU, global average pooling, a linear layer.

    Attributes:
        blocks: layers of each dense block.
        growth: channels that each layer adds.
        bottleneck: channels of a layer's 1x1 convolution, in multiples of `growth`.
        stem: channels of the first convolution.
    """

    blocks: tuple[int, ...]
    growth: int
    bottleneck: int
    stem: int

    def parts(self, classes: int) -> Iterator[Part]:
        """Return `features`, and what torchvision does behind it."""
        yield Chain(name="features", parts=tuple(self._features()))
        yield relu("relu", functional=True)
        yield Step(kind=Kind.AVERAGE_POOL, name="avgpool", adaptive=1, functional=True)
        yield Step(kind=Kind.FLATTEN, name="flatten", functional=True)
        yield Step(kind=Kind.LINEAR, name="classifier", channels=classes, bias=True)

    def _features(self) -> Iterator[Part]:
        yield from (convolution("conv0", self.stem, 7, 2), batch_norm("norm0"), relu("relu0"))
        yield Step(kind=Kind.MAX_POOL, name="pool0", kernel=3, stride=2, padding=1)
        channels = self.stem
        for number, layers in enumerate(self.blocks, start=1):
            yield self._block(f"denseblock{number}", layers)
            channels += layers * self.growth
            if number < len(self.blocks):
                channels //= 2
                yield _transition(f"transition{number}", channels)
        yield batch_norm(f"norm{len(self.blocks) + 1}")

    def _block(self, name: str, layers: int) -> Chain:
        branch = (
            batch_norm("norm1"),
            relu("relu1"),
            convolution("conv1", self.bottleneck * self.growth, 1),
            batch_norm("norm2"),
            relu("relu2"),
            convolution("conv2", self.growth, 3),
        )
        return Chain(
            name=name,
            parts=tuple(Dense(name=f"denselayer{number}", branch=branch) for number in range(1, layers + 1)),
        )


def _transition(name: str, channels: int) -> Chain:
    return Chain(
        name=name,
        parts=(
            batch_norm("norm"),
            relu("relu"),
            convolution("conv", channels, 1),
            Step(kind=Kind.AVERAGE_POOL, name="pool", kernel=2, stride=2),
        ),
    )


ARCHITECTURES = (
    Architecture(
        name="densenet121",
        family="densenet",
        body=DenseBody(blocks=(6, 12, 24, 16), growth=32, bottleneck=4, stem=64),
        classes=1000,
        input_CHW=(3, 224, 224),
        costs=Costs(parameters=7_978_856, core_macs=2_834_161_664, source=_TORCHVISION),
        source=_PAPER,
    ),
)
