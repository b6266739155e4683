"""The CIFAR-10 networks of He et al. 2015, section 4.2: 6n + 2 layers, widths 16, 32, 64, residual (A) and plain."""

from resbench.architectures.description import Architecture, Block, Costs, Shortcut, Stage, Stem
from resbench.specs import Source

_PAPER = Source(
    title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
    where="section 4.2; parameters in Table 6, rounded",
    url="https://arxiv.org/abs/1512.03385",
)


def _network(depth: int, shortcut: Shortcut, parameters: int, core_macs: int) -> Architecture:
    blocks = (depth - 2) // 6
    kind = "plain" if shortcut is Shortcut.NONE else "resnet"
    return Architecture(
        name=f"cifar_{kind}{depth}",
        family="cifar",
        stem=Stem(channels=16, kernel=3, stride=1, pool=False),
        stages=(
            Stage(blocks=blocks, width=16, stride=1),
            Stage(blocks=blocks, width=32, stride=2),
            Stage(blocks=blocks, width=64, stride=2),
        ),
        block=Block.BASIC,
        shortcut=shortcut,
        classes=10,
        input_CHW=(3, 32, 32),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=_PAPER),
        source=_PAPER,
    )


# Option A adds no parameter, so that a residual network and its plain twin cost the same.
_COSTS = {
    20: (269_722, 40_551_040),
    32: (464_154, 68_862_592),
    44: (658_586, 97_174_144),
    56: (853_018, 125_485_696),
    110: (1_727_962, 252_887_680),
}

ARCHITECTURES = (
    *(_network(depth, Shortcut.ZERO_PAD, *costs) for depth, costs in _COSTS.items()),
    *(_network(depth, Shortcut.NONE, *costs) for depth, costs in _COSTS.items() if depth != 110),
)
