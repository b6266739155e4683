"""The vocabulary in which every network is described: stem, stages, blocks, shortcut, head. Plain data, no torch."""

from dataclasses import dataclass
from enum import StrEnum

from resbench.specs import Source


class Block(StrEnum):
    """The residual function F of He et al. 2015, Figure 5."""

    BASIC = "basic"
    """conv3x3-BN-ReLU-conv3x3-BN, + shortcut, ReLU; the stride is on the first convolution."""
    BOTTLENECK = "bottleneck"
    """conv1x1-BN-ReLU-conv3x3-BN-ReLU-conv1x1-BN (times 4 channels), + shortcut, ReLU; the stride is on the 3x3, or
    on the first 1x1 where `Architecture.stride_on_1x1`."""

    @property
    def expansion(self) -> int:
        """Output channels of the block over its width."""
        return 4 if self is Block.BOTTLENECK else 1


class Shortcut(StrEnum):
    """What joins a block's input to its output (He et al. 2015, section 4.1)."""

    ZERO_PAD = "A"
    """Identity; where the size changes, every second pixel with zero channels appended. No parameters."""
    PROJECTION = "B"
    """Identity; where the size changes, a 1x1 convolution and batch norm."""
    PROJECTION_EVERYWHERE = "C"
    """A 1x1 convolution and batch norm on every shortcut."""
    NONE = "none"
    """A plain network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """The first convolution (no bias, "same" padding), batch norm, ReLU, and max-pool 3x3 / 2 where `pool`."""

    channels: int
    kernel: int
    stride: int
    pool: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A run of blocks of one width; the first block has the stride."""

    blocks: int
    width: int
    stride: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What the default network costs, as exact numbers, and where they can be checked."""

    parameters: int
    core_macs: int
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One network. The head is global average pooling and a linear layer to `classes`.

    Attributes:
        block_bias: whether the two 3x3 convolutions of a basic block have a bias.
        stride_on_1x1: whether a bottleneck has its stride on the first 1x1 (the paper, "v1") or on the 3x3 ("v1.5").
        groups, group_width: of a bottleneck's 3x3 convolution; its channels are width x group_width / 64 x groups.
        input_CHW: the input for which `costs` and the published figures hold.
        costs: exact, tested figures for `classes` and `input_CHW`.
        source: where the network was defined.
    """

    name: str
    family: str
    stem: Stem
    stages: tuple[Stage, ...]
    block: Block
    shortcut: Shortcut
    classes: int
    input_CHW: tuple[int, int, int]
    costs: Costs
    source: Source
    block_bias: bool = False
    stride_on_1x1: bool = False
    groups: int = 1
    group_width: int = 64

    def inner_width(self, width: int) -> int:
        """Return the channels inside a block of a stage of `width`: more where it is wide or grouped."""
        return width * self.group_width // 64 * self.groups

    @property
    def features(self) -> int:
        """Channels that enter the linear layer."""
        return self.stages[-1].width * self.block.expansion
