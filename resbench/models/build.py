"""Networks from their descriptions: the module is a transcript of the `Architecture`."""

from torch import Tensor, nn

from resbench import catalog
from resbench.architectures.description import Architecture, Block, Stage
from resbench.architectures.layers import convolutions
from resbench.errors import UsageError
from resbench.models.blocks import BasicBlock, Bottleneck


class ResNet(nn.Module):
    """conv1, bn1, relu, [maxpool], layer1 ... layerN, avgpool, flatten, fc.

    Names of submodules and of the state dict are torchvision's. Weights start as PyTorch's layers start;
    a training recipe initialises its own.

    Args:
        architecture: the description.
        classes: outputs of the linear layer.
    """

    def __init__(self, architecture: Architecture, classes: int) -> None:
        super().__init__()
        stem = architecture.stem
        self.conv1 = nn.Conv2d(
            3, stem.channels, stem.kernel, stride=stem.stride, padding=stem.kernel // 2, bias=False
        )
        self.bn1 = nn.BatchNorm2d(stem.channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1) if stem.pool else nn.Identity()
        channels = stem.channels
        for number, stage in enumerate(architecture.stages, start=1):
            self.add_module(f"layer{number}", _stage(architecture, stage, channels))
            channels = stage.width * architecture.block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(architecture.features, classes)
        self.stages = len(architecture.stages)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return logits of shape (B, classes)."""
        out = self.maxpool(self.relu(self.bn1(self.conv1(images_BCHW))))
        for number in range(1, self.stages + 1):
            out = self.get_submodule(f"layer{number}")(out)
        logits_BK: Tensor = self.fc(self.avgpool(out).flatten(1))
        return logits_BK


def _stage(architecture: Architecture, stage: Stage, channels: int) -> nn.Sequential:
    blocks = []
    for index in range(stage.blocks):
        blocks.append(_block(architecture, channels, stage.width, stage.stride if index == 0 else 1))
        channels = stage.width * architecture.block.expansion
    return nn.Sequential(*blocks)


def _block(architecture: Architecture, channels: int, width: int, stride: int) -> nn.Module:
    if architecture.block is Block.BOTTLENECK:
        plan = convolutions(architecture, width, stride)
        return Bottleneck(channels, plan, architecture.shortcut)
    return BasicBlock(channels, width, stride, architecture.shortcut, bias=architecture.block_bias)


def build(architecture: Architecture, *, classes: int | None = None) -> ResNet:
    """Return the network, in training mode as PyTorch's modules start; `torch.device("meta")` works, too.

    Args:
        architecture: the description.
        classes: outputs of the head; default: the architecture's own.

    Raises:
        UsageError: there is not one class.
    """
    wanted = architecture.classes if classes is None else classes
    if wanted < 1:
        raise UsageError(f"a network needs at least one class, found {wanted}")
    return ResNet(architecture, wanted)


def find_architecture(name: str) -> Architecture:
    """Return the catalogued architecture called `name`.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    architecture: Architecture = catalog.find("model", "architectures", "ARCHITECTURES", name)
    return architecture
