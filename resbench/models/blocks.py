"""The two blocks of He et al. 2015, Figure 5. Submodules have torchvision's names, so that its weights load."""

from torch import Tensor, nn

from resbench.architectures.description import Block, Shortcut
from resbench.models.shortcuts import resizing


class BasicBlock(nn.Module):
    """conv3x3 (stride) - BN - ReLU - conv3x3 - BN, + shortcut, ReLU.

    Args:
        channels: channels of the input.
        width: channels of both convolutions, and of the output.
        stride: of the first convolution.
        shortcut: what is added to the output; `Shortcut.NONE`: nothing, a plain block.
        bias: whether the convolutions have a bias.
    """

    def __init__(self, channels: int, width: int, stride: int, shortcut: Shortcut, *, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=bias)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=bias)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = resizing(shortcut, channels, width, stride)
        self.residual = shortcut is not Shortcut.NONE

    def forward(self, input_BCHW: Tensor) -> Tensor:
        """Return (B, width, ceil(H / stride), ceil(W / stride))."""
        out = self.relu(self.bn1(self.conv1(input_BCHW)))
        out = self.bn2(self.conv2(out))
        if self.residual:
            out += input_BCHW if self.downsample is None else self.downsample(input_BCHW)
        output_BCHW: Tensor = self.relu(out)
        return output_BCHW


class Bottleneck(nn.Module):
    """conv1x1 - BN - ReLU - conv3x3 (stride) - BN - ReLU - conv1x1 - BN, + shortcut, ReLU.

    Args:
        channels: channels of the input.
        width: channels of the first two convolutions; the output has four times as many.
        stride: of the 3x3 convolution.
        shortcut: what is added to the output; `Shortcut.NONE`: nothing, a plain block.
    """

    def __init__(self, channels: int, width: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        channels_out = width * Block.BOTTLENECK.expansion
        self.conv1 = nn.Conv2d(channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels_out, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = resizing(shortcut, channels, channels_out, stride)
        self.residual = shortcut is not Shortcut.NONE

    def forward(self, input_BCHW: Tensor) -> Tensor:
        """Return (B, 4 width, ceil(H / stride), ceil(W / stride))."""
        out = self.relu(self.bn1(self.conv1(input_BCHW)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.residual:
            out += input_BCHW if self.downsample is None else self.downsample(input_BCHW)
        output_BCHW: Tensor = self.relu(out)
        return output_BCHW
