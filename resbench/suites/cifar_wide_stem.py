"""ResNet-34 with ImageNet's widths and a 3x3 stem, 20 epochs of CIFAR-10, beside a published log of just that."""

from resbench.results import Statistic
from resbench.specs import Arm, Suite
from resbench.suites.published.percentages import CIFAR_TEST, Table
from resbench.training.recipes import SEED003_CIFAR

_LOG = Table(
    metric="top1_accuracy",
    source=SEED003_CIFAR.source,
    protocol="accuracy on the CIFAR-10 test set after the last of 20 epochs; one run, whose settings are not stated",
    test_samples=CIFAR_TEST,
    statistic=Statistic.LAST,
    n=1,
)

SUITE = Suite(
    name="cifar_wide_stem",
    title="ResNet-34 with a 3x3 stem on CIFAR-10, 20 epochs",
    question="How near does a run by a common recipe of the time come to a published log of 20 epochs (85.00 %)?",
    source=SEED003_CIFAR.source,
    data="cifar10",
    recipe=SEED003_CIFAR,
    metric="top1_accuracy",
    curves="cifar_wide_stem_curves.csv",
    arms=(
        Arm(
            model="cifar_wide_stem_resnet34",
            label="ResNet-34, 3x3 stem",
            published=(_LOG.figure("85.00"),),
        ),
    ),
)
