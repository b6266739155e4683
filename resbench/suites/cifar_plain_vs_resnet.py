"""Plain and residual networks of the same depths on CIFAR-10: does depth degrade the one and help the other?"""

from resbench.specs import Arm, Suite
from resbench.suites.published import cifar_readme
from resbench.suites.published.he2015 import CIFAR_ERRORS, paper
from resbench.training.recipes import HE2015_CIFAR

DEPTHS = (20, 32, 44, 56)

SUITE = Suite(
    name="cifar_plain_vs_resnet",
    title="Plain and residual networks of 20 to 56 layers on CIFAR-10",
    question=(
        "Do plain networks get worse with depth, and residual ones better, with the same parameters and operations? The "
        "paper shows the plain ones as curves alone (Figure 6), so that only the residual ones have figures to compare with; "
        "those of a README, which has both, stand beside."
    ),
    source=paper("section 4.2, Figure 6 and Table 6"),
    data="cifar10",
    recipe=HE2015_CIFAR,
    arms=(
        *(
            Arm(model=f"cifar_plain{depth}", label=f"plain-{depth}", published=cifar_readme.PLAIN[depth])
            for depth in DEPTHS
        ),
        *(
            Arm(
                model=f"cifar_resnet{depth}",
                label=f"ResNet-{depth}",
                published=(*CIFAR_ERRORS[depth], *cifar_readme.RESNET[depth]),
            )
            for depth in DEPTHS
        ),
    ),
)
