"""What a machine is given to do when its roof is measured. No torch."""

from typing import NamedTuple

COPY_B = 256 * 2**20
"""Beyond every cache."""


class Shape(NamedTuple):
    """Of a convolution that keeps its picture's size: channels in and out, kernel, side, pictures."""

    channels: int
    kernel: int
    side: int
    batch: int

    @property
    def flops(self) -> int:
        """2 x MACs, over the padding, too."""
        return 2 * self.batch * (self.channels * self.side * self.kernel) ** 2

    def __str__(self) -> str:
        """Say it in words."""
        size, taps = f"{self.side}x{self.side}", f"{self.kernel}x{self.kernel}"
        return f"{taps}, {self.channels} channels, {size}, batch {self.batch}"


class Effort(NamedTuple):
    """What is tried, and how long each is tried: at least so many calls, and so many seconds.

    Attributes:
        convolutions: with a kernel above 1.
        products: with a kernel of 1.
        copy_B: bytes of one copy's source.
        calls, seconds: of each.
    """

    convolutions: tuple[Shape, ...]
    products: tuple[Shape, ...]
    copy_B: int = COPY_B
    calls: int = 5
    seconds: float = 0.4


ON_CPU = Effort((Shape(256, 3, 28, 8), Shape(128, 3, 28, 16)), (Shape(512, 1, 28, 8), Shape(1024, 1, 14, 16)))
ON_GPU = Effort(
    (Shape(256, 3, 56, 64), Shape(512, 3, 28, 64)),
    (Shape(2048, 1, 28, 64), Shape(4096, 1, 14, 64)),
    copy_B=2**30,
)
"""Enough of each to fill every core."""
