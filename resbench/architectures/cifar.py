"""The CIFAR-10 networks of He et al. 2015, section 4.2: 6n + 2 layers, widths 16, 32, 64, residual and plain.

`cifar_resnet20` has option A, as the paper; `_b` and `_c` name the others.
"""

from resbench.architectures.description import Architecture, Costs
from resbench.architectures.forms import Block, Shortcut, Stage, Stem
from resbench.architectures.residual import ResidualBody
from resbench.specs import Source

_PAPER = Source(
    title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
    where="section 4.2; parameters in Table 6, rounded",
    url="https://arxiv.org/abs/1512.03385",
)


def cifar_body(
    depth: int, *, block: Block = Block.BASIC, shortcut: Shortcut = Shortcut.ZERO_PAD
) -> ResidualBody:
    """Return the form of section 4.2: a 3x3 stem of 16 channels, three stages of 16, 32 and 64 channels."""
    blocks = (depth - 2) // (9 if block is Block.BOTTLENECK else 3 if block is Block.SINGLE else 6)
    return ResidualBody(
        stem=Stem(channels=16, kernel=3, stride=1, pool=False),
        stages=(
            Stage(blocks=blocks, width=16, stride=1),
            Stage(blocks=blocks, width=32, stride=2),
            Stage(blocks=blocks, width=64, stride=2),
        ),
        block=block,
        shortcut=shortcut,
    )


_SUFFIX = {Shortcut.ZERO_PAD: "", Shortcut.PROJECTION: "_b", Shortcut.PROJECTION_EVERYWHERE: "_c"}


def _network(depth: int, shortcut: Shortcut, parameters: int, core_macs: int) -> Architecture:
    plain = shortcut is Shortcut.NONE
    return Architecture(
        name=f"cifar_plain{depth}" if plain else f"cifar_resnet{depth}{_SUFFIX[shortcut]}",
        family="cifar",
        body=cifar_body(depth, shortcut=shortcut),
        classes=10,
        input_CHW=(3, 32, 32),
        costs=Costs(parameters=parameters, core_macs=core_macs, source=_PAPER),
        source=_PAPER,
        # He et al. 2016 call option C the 1x1-convolution shortcut (section 3).
        aliases=("cifar_resnet110_conv1x1",)
        if (depth, shortcut) == (110, Shortcut.PROJECTION_EVERYWHERE)
        else (),
    )


# Parameters and core MACs with options A, B and C. Option A adds nothing, so that a plain network costs the same.
_COSTS = {
    20: ((269_722, 40_551_040), (272_474, 40_813_184), (283_962, 42_648_192)),
    32: ((464_154, 68_862_592), (466_906, 69_124_736), (489_594, 72_532_608)),
    44: ((658_586, 97_174_144), (661_338, 97_436_288), (695_226, 102_417_024)),
    56: ((853_018, 125_485_696), (855_770, 125_747_840), (900_858, 132_301_440)),
    110: ((1_727_962, 252_887_680), (1_730_714, 253_149_824), (1_826_202, 266_781_312)),
    1202: ((19_421_274, 2_829_238_912), (19_424_026, 2_829_501_056), (20_538_714, 2_986_263_168)),
}

ARCHITECTURES = tuple(
    _network(depth, shortcut, *options[option])
    for shortcut, option in (
        (Shortcut.ZERO_PAD, 0),
        (Shortcut.PROJECTION, 1),
        (Shortcut.PROJECTION_EVERYWHERE, 2),
        (Shortcut.NONE, 0),
    )
    for depth, options in _COSTS.items()
)
