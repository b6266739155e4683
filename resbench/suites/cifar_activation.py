"""Five orders of batch norm, ReLU and addition at 110, 164 and 1001 layers on CIFAR-10 and CIFAR-100."""

from dataclasses import replace

from resbench.specs import Arm, Suite
from resbench.suites.published.he2016 import DEEP, ORDERS, PARAMETERS, paper
from resbench.training.recipes import HE2016_CIFAR

_SUFFIX = {
    "original": "",
    "bn_after_add": "_bn_after_add",
    "relu_before_add": "_relu_before_add",
    "relu_only_preact": "_relu_only_preact",
    "preact": "_preact",
}
_WORDS = {
    "original": "original",
    "bn_after_add": "BN after addition",
    "relu_before_add": "ReLU before addition",
    "relu_only_preact": "ReLU-only pre-activation",
    "preact": "full pre-activation",
}
_BATCH_64 = replace(HE2016_CIFAR, name="he2016_cifar_64", train_batch=64)


def _order(depth: int, order: str) -> Arm:
    return Arm(
        model=f"cifar_resnet{depth}{_SUFFIX[order]}",
        label=f"ResNet-{depth}, {_WORDS[order]}",
        published=(
            ORDERS[depth, order],
            *((PARAMETERS[depth],) if depth in PARAMETERS and order == "original" else ()),
        ),
    )


def _deep(depth: int, order: str) -> Arm:
    suffix = _SUFFIX[order]
    costs = (PARAMETERS[depth],) if depth in PARAMETERS else ()
    return Arm(
        model=f"cifar_resnet{depth}{suffix}",
        label=f"ResNet-{depth}, {_WORDS[order]}",
        published=(*DEEP[f"resnet{depth}{suffix}"], *costs),
    )


def _cifar100(depth: int, order: str) -> Arm:
    model = f"cifar_resnet{depth}{_SUFFIX[order]}"
    return Arm(
        model=model,
        name=f"{model}_cifar100",
        label=f"ResNet-{depth}, {_WORDS[order]}, CIFAR-100",
        published=DEEP[f"{model.removeprefix('cifar_')}_cifar100"],
        data="cifar100",
    )


def _one_layer(suffix: str, label: str) -> Arm:
    return Arm(
        model=f"cifar_resnet110_1layer{suffix}",
        label=f"ResNet-110 of one-layer units, {label}",
        published=DEEP[f"resnet110_1layer{suffix}"],
    )


SUITE = Suite(
    name="cifar_activation",
    title="Five orders of activation at 110 and 164 layers on CIFAR-10",
    question=(
        "Where should batch norm and ReLU stand around the addition? Before the weights (full pre-activation), says the paper, "
        "and the more so the deeper the network."
    ),
    source=paper("section 4, Tables 2 to 4"),
    data="cifar10",
    recipe=HE2016_CIFAR,
    arms=tuple(_order(depth, order) for depth in (110, 164) for order in _SUFFIX),
    extra=(
        _deep(1001, "original"),
        _deep(1001, "preact"),
        Arm(
            model="cifar_resnet1001_preact",
            name="cifar_resnet1001_preact_64",
            label="ResNet-1001, full pre-activation, batches of 64",
            published=DEEP["resnet1001_preact_64"],
            recipe=_BATCH_64,
        ),
        _one_layer("", "original"),
        _one_layer("_preact", "full pre-activation"),
        *(_cifar100(depth, order) for depth in (164, 1001) for order in ("original", "preact")),
    ),
)
