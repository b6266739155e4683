"""VGG-16 and -19, which He et al. 2015 compare their FLOPs with: 3x3 convolutions with bias, no batch norm."""

from collections.abc import Iterator
from dataclasses import dataclass

from resbench.architectures.description import Architecture, Costs
from resbench.architectures.plan import Chain, Kind, Part, Step, convolution, relu
from resbench.specs import Source

_PAPER = Source(
    title="Simonyan, Zisserman: Very Deep Convolutional Networks (ICLR 2015)",
    where="Table 1, configurations D and E",
    url="https://arxiv.org/abs/1409.1556",
)
_TORCHVISION = Source(
    title="torchvision 0.29.1",
    where="torchvision/models/vgg.py: num_params and _ops of the IMAGENET1K_V1 weights",
    url="https://github.com/pytorch/vision/blob/main/torchvision/models/vgg.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VggBody:
    """Stages of 3x3 convolutions with ReLU, each ended by a max-pool 2x2 / 2; an average pool to 7x7; three linear layers.

    Attributes:
        convolutions: how many each stage has; their channels are 64, 128, 256, 512, 512.
    """

    convolutions: tuple[int, ...]

    def parts(self, classes: int) -> Iterator[Part]:
        """Return `features`, `avgpool`, `classifier`, numbered as torchvision numbers them."""
        yield Chain(name="features", parts=tuple(self._features()))
        yield Step(kind=Kind.AVERAGE_POOL, name="avgpool", adaptive=7)
        yield Step(kind=Kind.FLATTEN, name="flatten", functional=True)
        yield Chain(
            name="classifier",
            parts=(
                Step(kind=Kind.LINEAR, name="0", channels=4096, bias=True),
                relu("1"),
                Step(kind=Kind.DROPOUT, name="2", probability=0.5),
                Step(kind=Kind.LINEAR, name="3", channels=4096, bias=True),
                relu("4"),
                Step(kind=Kind.DROPOUT, name="5", probability=0.5),
                Step(kind=Kind.LINEAR, name="6", channels=classes, bias=True),
            ),
        )

    def _features(self) -> Iterator[Step]:
        number = 0
        for stage, convolutions in enumerate(self.convolutions):
            for _ in range(convolutions):
                yield convolution(str(number), min(64 * 2**stage, 512), 3, bias=True)
                yield relu(str(number + 1))
                number += 2
            yield Step(kind=Kind.MAX_POOL, name=str(number), kernel=2, stride=2)
            number += 1


def _network(name: str, convolutions: tuple[int, ...], parameters: int, core_macs: int) -> Architecture:
    return Architecture(
        name=name,
        family="vgg",
        body=VggBody(convolutions=convolutions),
        classes=1000,
        input_CHW=(3, 224, 224),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=_TORCHVISION),
        source=_PAPER,
    )


ARCHITECTURES = (
    _network("vgg16", (2, 2, 3, 3, 3), 138_357_544, 15_470_264_320),
    _network("vgg19", (2, 2, 4, 4, 4), 143_667_240, 19_632_062_464),
)
