"""Six kinds of shortcut at 110 layers on CIFAR-10: is the identity better than anything that scales, gates or drops it?"""

from resbench.specs import Arm, Suite
from resbench.suites.published.he2016 import SHORTCUTS, paper
from resbench.training.recipes import HE2016_CIFAR

_GATED = "cifar_resnet110_{}_gating"


def _arm(model: str, label: str, figure: str, *, name: str = "") -> Arm:
    return Arm(model=model, name=name, label=label, published=(SHORTCUTS[figure],))


def _gated(kind: str, bias: int) -> Arm:
    """Return an arm whose gates start at another bias than -6."""
    model = _GATED.format(kind)
    return _arm(
        f"{model}(gate_bias={-bias})",
        f"{kind.replace('_', '-')} gating, bias {-bias}",
        f"{kind}_gating_{bias}",
        name=f"{model}_{bias}",
    )


SUITE = Suite(
    name="cifar_shortcut_types",
    title="Six kinds of shortcut at 110 layers on CIFAR-10",
    question=(
        "Is the identity the best shortcut? Scaled, gated, convolved or dropped, it lets less through; the paper's medians of "
        "five runs get worse, up to failing (an error of more than 20 %)."
    ),
    source=paper("section 3 and Table 1"),
    data="cifar10",
    recipe=HE2016_CIFAR,
    arms=(
        _arm("cifar_resnet110", "identity", "original"),
        _arm("cifar_resnet110_constant_scaling", "constant scaling, 0.5 and 0.5", "constant_scaling"),
        _arm(_GATED.format("exclusive"), "exclusive gating, bias -6", "exclusive_gating"),
        _arm(_GATED.format("shortcut_only"), "shortcut-only gating, bias -6", "shortcut_only_gating"),
        _arm("cifar_resnet110_c", "1x1 convolution", "conv1x1"),
        _arm("cifar_resnet110_dropout_shortcut", "dropout 0.5", "dropout"),
    ),
    extra=(
        _arm("cifar_plain110", "constant scaling, 0 and 1 (plain)", "plain"),
        _arm(
            "cifar_resnet110_constant_scaling(branch_scale=1)",
            "constant scaling, 0.5 and 1",
            "constant_scaling_full_branch",
            name="cifar_resnet110_constant_scaling_full_branch",
        ),
        _gated("exclusive", 0),
        _gated("exclusive", 5),
        _gated("exclusive", 7),
        _gated("shortcut_only", 0),
    ),
)
