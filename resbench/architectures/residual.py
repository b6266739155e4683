"""The form of every residual and plain network in the catalogue: stem, stages of units, head.

He et al. 2015 ("Deep Residual Learning", section 3.3 and 4) and He et al. 2016 ("Identity Mappings", sections 3 and 4).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from resbench.architectures.forms import Block, Order, Shortcut, Stage, Stem, Unit
from resbench.architectures.orders import arranged
from resbench.architectures.plan import (
    Chain,
    Gating,
    Kind,
    Part,
    Residual,
    Step,
    batch_norm,
    convolution,
    head,
    relu,
)

UNITS = ((2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3), (3, 24, 36, 3))
"""Units of each of four stages (He et al. 2015, Table 1; the last: 200 layers, He et al. 2016, section 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualBody:
    """Stem, stages of residual or plain units, global average pooling, a linear layer.

    Attributes:
        block_bias: whether the 3x3 convolutions of a basic block have a bias.
        stride_on_1x1: whether a bottleneck has its stride on the first 1x1 (the paper, "v1") or on the 3x3 ("v1.5").
        groups, group_width: of a bottleneck's 3x3 convolution; its channels are width x group_width / 64 x groups.
        gating: a gate on the shortcut of every unit (He et al. 2016, Table 1): a 1x1 convolution with bias on the unit's
            input, with the unit's stride.
        gate_bias: what the gate's bias b_g starts at.
        shortcut_scale, branch_scale: constants on the two sides of every addition; Table 1 calls them 1 - lambda and F.
        shortcut_dropout: probability of a dropout on every shortcut.
    """

    SIZES: ClassVar[dict[str, type]] = {"depth": int, "width": int}
    """What `resized` takes."""

    stem: Stem
    stages: tuple[Stage, ...]
    block: Block
    shortcut: Shortcut
    order: Order = Order.ORIGINAL
    block_bias: bool = False
    stride_on_1x1: bool = False
    groups: int = 1
    group_width: int = 64
    gating: Gating | None = None
    gate_bias: float = 0.0
    shortcut_scale: float = 1.0
    branch_scale: float = 1.0
    shortcut_dropout: float = 0.0

    @property
    def features(self) -> int:
        """Channels that enter the linear layer."""
        return self.stages[-1].width * self.block.expansion

    @property
    def depth(self) -> int:
        """Weighted layers but for projections and gates, as He et al. count."""
        return 2 + self.block.weights * sum(stage.blocks for stage in self.stages)

    def resized(self, *, depth: int | None = None, width: int | None = None) -> "ResidualBody":
        """Return the form with another depth, or with other channels in proportion to a first stage of `width`.

        Raises:
            ValueError: no network of this form has that depth, or the stem's channels would not be whole.
        """
        stages, stem = self.stages, self.stem
        if width is not None:
            now = stages[0].width
            if stem.channels * width % now:
                raise ValueError(
                    f"width={width}: the stem's {stem.channels} channels don't scale by {width}/{now}"
                )
            stem = replace(stem, channels=stem.channels * width // now)
            stages = tuple(replace(stage, width=stage.width * width // now) for stage in stages)
        if depth is not None:
            stages = self._deepened(stages, depth)
        return replace(self, stem=stem, stages=stages)

    def _deepened(self, stages: tuple[Stage, ...], depth: int) -> tuple[Stage, ...]:
        """Three stages have as many units each (He et al. 2015, section 4.2), four as its Table 1 says."""
        each = self.block.weights
        if len(stages) == 3:
            blocks, rest = divmod(depth - 2, 3 * each)
            if rest or blocks < 1:
                raise ValueError(
                    f"depth={depth} is not {3 * each} n + 2, as {3 * each + 2} and {6 * each + 2} are"
                )
            return tuple(replace(stage, blocks=blocks) for stage in stages)
        known = {2 + each * sum(units): units for units in UNITS}
        if depth not in known or len(known[depth]) != len(stages):
            raise ValueError(f"depth={depth} is not one of {', '.join(map(str, sorted(known)))}")
        return tuple(replace(stage, blocks=units) for stage, units in zip(stages, known[depth], strict=True))

    def parts(self, classes: int) -> Iterator[Part]:
        """Return stem, `layer1` to `layerN`, and head."""
        yield from self._stem()
        channels = self.stem.channels
        for number, stage in enumerate(self.stages, start=1):
            yield Chain(name=f"layer{number}", parts=self._stage(stage, channels, first=number == 1))
            channels = stage.width * self.block.expansion
        yield from self._last_activation()
        yield from head("fc", classes)

    def _stage(self, stage: Stage, channels: int, *, first: bool) -> tuple[Residual, ...]:
        out = stage.width * self.block.expansion
        head = Unit(
            channels_in=channels, width=stage.width, channels_out=out, stride=stage.stride, first=first
        )
        rest = self.unit(replace(head, channels_in=out, stride=1, first=False), "")
        repeats = (replace(rest, name=str(index)) for index in range(1, stage.blocks))
        return self.unit(head, "0"), *repeats

    def _stem(self) -> Iterator[Step]:
        yield convolution("conv1", self.stem.channels, self.stem.kernel, self.stem.stride)
        # Pre-activation takes what follows the first convolution into its units.
        if self.order is not Order.FULL_PREACT or self.stem.pool:
            yield batch_norm("bn1")
        if self.order not in (Order.FULL_PREACT, Order.RELU_ONLY_PREACT) or self.stem.pool:
            yield relu()
        if self.stem.pool:
            yield Step(kind=Kind.MAX_POOL, name="maxpool", kernel=3, stride=2, padding=1)

    def _last_activation(self) -> Iterator[Step]:
        if self.order is Order.FULL_PREACT:
            yield batch_norm("bn2")
        if self.order in (Order.FULL_PREACT, Order.RELU_ONLY_PREACT):
            yield relu("relu2")

    def unit(self, unit: Unit, name: str) -> Residual:
        """Return one residual or plain unit."""
        before, branch, after = arranged(
            self.order,
            self.convolutions(unit),
            shared=unit.first or self.is_projected(unit),
            activated=unit.first and self.stem.pool,
        )
        return Residual(
            name=name,
            before=before,
            branch=branch,
            shortcut=self._shortcut(unit),
            after=after,
            gate=self._gate(unit),
            branch_scale=self.branch_scale,
            shortcut_scale=self.shortcut_scale,
        )

    def convolutions(self, unit: Unit) -> tuple[Step, ...]:
        """Return the weight layers of a unit's branch, in order."""
        width, stride = unit.width, unit.stride
        if self.block is Block.SINGLE:
            return (convolution("conv1", width, 3, stride, bias=self.block_bias),)
        if self.block is Block.BASIC:
            return (
                convolution("conv1", width, 3, stride, bias=self.block_bias),
                convolution("conv2", width, 3, bias=self.block_bias),
            )
        inner = width * self.group_width // 64 * self.groups
        first, second = (stride, 1) if self.stride_on_1x1 else (1, stride)
        return (
            convolution("conv1", inner, 1, first),
            convolution("conv2", inner, 3, second, groups=self.groups),
            convolution("conv3", unit.channels_out, 1),
        )

    def is_projected(self, unit: Unit) -> bool:
        """Whether a unit's shortcut is a 1x1 convolution: option B where the shape changes, option C everywhere."""
        if self.shortcut is Shortcut.PROJECTION:
            return unit.resizes
        return self.shortcut is Shortcut.PROJECTION_EVERYWHERE

    def _shortcut(self, unit: Unit) -> tuple[Part, ...] | None:
        if self.shortcut is Shortcut.NONE:
            return None
        steps: list[Part] = []
        if self.is_projected(unit):
            steps.append(self._projection(unit))
        elif unit.resizes:
            steps.append(
                Step(
                    kind=Kind.ZERO_PAD,
                    name="downsample",
                    channels=unit.channels_out,
                    stride=unit.stride,
                )
            )
        if self.shortcut_dropout:
            steps.append(Step(kind=Kind.DROPOUT, name="dropout", probability=self.shortcut_dropout))
        return tuple(steps)

    def _projection(self, unit: Unit) -> Chain:
        parts = [convolution("0", unit.channels_out, 1, unit.stride)]
        if self.order not in (Order.FULL_PREACT, Order.BN_AFTER_ADD):
            parts.append(batch_norm("1"))
        return Chain(name="downsample", parts=tuple(parts))

    def _gate(self, unit: Unit) -> tuple[Step, Gating] | None:
        if self.gating is None:
            return None
        gate = Step(
            kind=Kind.CONVOLUTION,
            name="gate",
            channels=unit.channels_out,
            kernel=1,
            stride=unit.stride,
            bias=True,
            bias_start=self.gate_bias,
        )
        return gate, self.gating
