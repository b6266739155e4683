"""Shortcut options A, B, C and none at 20 and 56 layers on CIFAR-10, with and without the ReLU after the addition."""

from resbench.specs import Arm, Suite
from resbench.suites.published.he2015 import CIFAR_ERRORS, paper
from resbench.training.recipes import HE2015_CIFAR

_OPTIONS = {"A": "cifar_resnet{}", "B": "cifar_resnet{}_b", "C": "cifar_resnet{}_c", "none": "cifar_plain{}"}


def _arms(depth: int) -> tuple[Arm, ...]:
    arms = []
    for option, form in _OPTIONS.items():
        model = form.format(depth)
        arms.append(
            Arm(
                model=model,
                label=f"{depth} layers, {option}",
                published=CIFAR_ERRORS[depth] if option == "A" else (),
            )
        )
        if option != "none":  # without a shortcut there is no addition
            arms.append(
                Arm(
                    model=f"{model}(order=no_output_relu)",
                    name=f"{model}_no_relu",
                    label=f"{depth} layers, {option}, no output ReLU",
                )
            )
    return tuple(arms)


SUITE = Suite(
    name="cifar_shortcut",
    title="Shortcut options A, B, C and none on CIFAR-10",
    question=(
        "Does it matter how a shortcut changes its size, or that there is one at all? And the ReLU after the addition: do "
        "networks without it err more?"
    ),
    source=paper("section 3.2 and section 4.2"),
    data="cifar10",
    recipe=HE2015_CIFAR,
    arms=(*_arms(20), *_arms(56)),
)
