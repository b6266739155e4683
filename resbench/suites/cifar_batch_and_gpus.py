"""ResNet-20 on CIFAR-10 with batches of 128 and 256, and with one batch split over 1, 2 and 6 processes."""

from dataclasses import replace

from resbench.specs import Arm, Suite
from resbench.suites.published.he2015 import CIFAR_ERRORS, paper
from resbench.training.recipes import HE2015_CIFAR

_256 = replace(HE2015_CIFAR, name="he2015_cifar_256", train_batch=256)


def _split(processes: int) -> Arm:
    return Arm(
        model="cifar_resnet20",
        name=f"batch_128_over_{processes}",
        label=f"batch of 128 over {processes} processes",
        processes=processes,
    )


SUITE = Suite(
    name="cifar_batch_and_gpus",
    title="Batches and processes for ResNet-20 on CIFAR-10",
    question=(
        'The paper trains with "a mini-batch size of 128 on two GPUs": is 128 the whole batch or a GPU\'s share, and does it '
        "matter how many share it? Batch norm sees one process's share."
    ),
    source=paper("section 4.2"),
    data="cifar10",
    recipe=HE2015_CIFAR,
    arms=(
        Arm(
            model="cifar_resnet20",
            name="batch_128",
            label="batch of 128, one process",
            published=CIFAR_ERRORS[20],
        ),
        Arm(model="cifar_resnet20", name="batch_256", label="batch of 256, one process", recipe=_256),
    ),
    extra=(_split(2), _split(6)),
)
