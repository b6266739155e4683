"""The words of a residual network's form: block, shortcut, order, stem, stage, unit. Plain data, no torch."""

from dataclasses import dataclass
from enum import StrEnum


class Block(StrEnum):
    """The weight layers of the residual function F."""

    BASIC = "basic"
    """3x3, 3x3; the stride is on the first (He et al. 2015, Figure 5 left)."""
    BOTTLENECK = "bottleneck"
    """1x1, 3x3, 1x1 to four times the width; the stride is on the 3x3, or on the first 1x1 (Figure 5 right)."""
    SINGLE = "single"
    """One 3x3 ("1layer skip" of He et al. 2016, Table 3)."""

    @property
    def expansion(self) -> int:
        """Output channels of the block over its width."""
        return 4 if self is Block.BOTTLENECK else 1

    @property
    def weights(self) -> int:
        """Weight layers of the block."""
        return {Block.BASIC: 2, Block.BOTTLENECK: 3, Block.SINGLE: 1}[self]


class Shortcut(StrEnum):
    """What joins a unit's input to its output (He et al. 2015, section 4.1)."""

    ZERO_PAD = "A"
    """Identity; where the size changes, every second pixel with zero channels appended. No parameters."""
    PROJECTION = "B"
    """Identity; where the size changes, a 1x1 convolution (and batch norm, where the order has it)."""
    PROJECTION_EVERYWHERE = "C"
    """A 1x1 convolution and batch norm on every shortcut."""
    NONE = "none"
    """A plain network."""


class Order(StrEnum):
    """Where batch norm (BN), ReLU and the addition stand (He et al. 2016, Figure 4)."""

    ORIGINAL = "original"
    """conv-BN-ReLU-conv-BN, add, ReLU."""
    NO_OUTPUT_RELU = "no_output_relu"
    """conv-BN-ReLU-conv-BN, add: the original without the ReLU after the addition."""
    BN_AFTER_ADD = "bn_after_add"
    """conv-BN-ReLU-conv, add, BN-ReLU (Figure 4b). A projection has no batch norm of its own: that after the addition
    is its."""
    RELU_BEFORE_ADD = "relu_before_add"
    """conv-BN-ReLU-conv-BN-ReLU, add (Figure 4c)."""
    RELU_ONLY_PREACT = "relu_only_preact"
    """ReLU-conv-BN-ReLU-conv-BN, add (Figure 4d). The first ReLU stands before the split of unit 1, that of a unit with a
    projection before its split, too; one more ReLU after the last addition."""
    FULL_PREACT = "full_preact"
    """BN-ReLU-conv-BN-ReLU-conv, add (Figure 4e). The first BN-ReLU stands before the split of unit 1 (in a network for
    224x224 pictures: after its first convolution, before the max-pool), that of a unit with a projection before its
    split, too, and the projection has no batch norm; one more BN-ReLU after the last addition."""
    SWAPPED_PREACT = "swapped_preact"
    """BN-ReLU-conv-BN-ReLU-conv, add, with the stem and projections of the original and nothing after the last
    addition: the pre-activation form of deep-learning-algorithm/ResNet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """The first convolution (no bias, "same" padding), batch norm, ReLU, and max-pool 3x3 / 2 where `pool`."""

    channels: int
    kernel: int
    stride: int
    pool: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A run of units of one width; the first unit has the stride."""

    blocks: int
    width: int
    stride: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The shape of one unit: what it gets and gives, and where it stands."""

    channels_in: int
    width: int
    channels_out: int
    stride: int
    first: bool

    @property
    def resizes(self) -> bool:
        """Whether its output has another shape than its input."""
        return self.stride != 1 or self.channels_in != self.channels_out
