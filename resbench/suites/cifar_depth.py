"""Residual networks of 20 to 1202 layers on CIFAR-10: does depth still help, and where does it end?"""

from resbench.specs import Arm, Suite
from resbench.suites.published.he2015 import CIFAR_ERRORS, CIFAR_PARAMETERS, paper
from resbench.training.recipes import HE2015_CIFAR, HE2015_CIFAR_WARM


def _arm(depth: int) -> Arm:
    return Arm(
        model=f"cifar_resnet{depth}",
        label=f"ResNet-{depth}",
        published=(*CIFAR_ERRORS[depth], CIFAR_PARAMETERS[depth]),
        # The paper warms up the network of 110 layers alone.
        recipe=HE2015_CIFAR_WARM if depth == 110 else None,
    )


SUITE = Suite(
    name="cifar_depth",
    title="Residual networks of 20 to 110 layers on CIFAR-10",
    question="With shortcuts of option A, do deeper networks err less on CIFAR-10, as Table 6 of the paper says?",
    source=paper("section 4.2 and Table 6"),
    data="cifar10",
    recipe=HE2015_CIFAR,
    arms=tuple(map(_arm, (20, 32, 44, 56, 110))),
    extra=(_arm(1202),),
)
