"""What joins a block's input to its output (He et al. 2015, section 4.1)."""

from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.description import Shortcut
from resbench.architectures.layers import is_projected, resizes


class ZeroPad(nn.Module):
    """Option A: every `stride`-th pixel, with zero channels appended. No parameters."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.appended = channels_out - channels_in
        self.stride = stride

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, channels out, ceil(H / stride), ceil(W / stride))."""
        kept = images_BCHW[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.appended))


def projection(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    """Return the shortcut of options B and C: a 1x1 convolution and batch norm."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=1, stride=stride, bias=False),
        nn.BatchNorm2d(channels_out),
    )


def resizing(shortcut: Shortcut, channels_in: int, channels_out: int, stride: int) -> nn.Module | None:
    """Return what the block's input passes on its way to the addition; None where it passes unchanged."""
    if is_projected(shortcut, channels_in, channels_out, stride):
        return projection(channels_in, channels_out, stride)
    if shortcut is Shortcut.ZERO_PAD and resizes(channels_in, channels_out, stride):
        return ZeroPad(channels_in, channels_out, stride)
    return None
