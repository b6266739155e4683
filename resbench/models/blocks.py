"""The two blocks of He et al. 2015, Figure 5. Submodules have torchvision's names, so that its weights load."""

from torch import Tensor, nn

from resbench.architectures.description import Shortcut
from resbench.models.shortcuts import resizing

Plan = tuple[tuple[int, int, int, int], ...]
"""What `resbench.architectures.layers.convolutions` returns."""


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
    """conv1x1 - BN - ReLU - conv3x3 - BN - ReLU - conv1x1 - BN, + shortcut, ReLU.

    Args:
        channels: channels of the input.
        plan: (output channels, kernel, stride, groups) of the three convolutions.
        shortcut: what is added to the output; `Shortcut.NONE`: nothing, a plain block.
    """

    def __init__(self, channels: int, plan: Plan, shortcut: Shortcut) -> None:
        super().__init__()
        (inner, _, first, _), (_, _, second, groups), (channels_out, _, _, _) = plan
        self.conv1 = nn.Conv2d(channels, inner, kernel_size=1, stride=first, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(
            inner, inner, kernel_size=3, stride=second, padding=1, groups=groups, bias=False
        )
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, channels_out, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = resizing(shortcut, channels, channels_out, first * second)
        self.residual = shortcut is not Shortcut.NONE

    def forward(self, input_BCHW: Tensor) -> Tensor:
        """Return (B, channels out, ceil(H / stride), ceil(W / stride))."""
        out = self.relu(self.bn1(self.conv1(input_BCHW)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.residual:
            out += input_BCHW if self.downsample is None else self.downsample(input_BCHW)
        output_BCHW: Tensor = self.relu(out)
        return output_BCHW
