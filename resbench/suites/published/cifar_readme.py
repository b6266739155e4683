"""A README's table of ResNets and plain networks on CIFAR-10, whose author did not get to the paper's figures.

Little of its protocol is stated, so that its figures are shown beside ours and never judged.
"""

from dataclasses import replace
from typing import Final

from resbench.results import Statistic
from resbench.specs import Source
from resbench.suites.published.percentages import CIFAR_TEST, Table

SOURCE: Final = Source(
    title='a README "ResNet, pytorch实现" of CIFAR-10 in PyTorch',
    where="its table of results (结果)",
    # It does not say where it lies; its figures find it.
    url="https://github.com/search?type=code&q=%2288.66%25+%2889.71%25%29%22",
)

_PLAIN: Final = Table(
    metric="top1_accuracy",
    source=SOURCE,
    protocol=(
        "accuracy on the CIFAR-10 test set; batches of 128, weight decay 1e-4, momentum 0.9, padded by 4, cropped and flipped; "
        "which epoch and how many runs are not stated"
    ),
    test_samples=CIFAR_TEST,
    unlike=("normalisation unstated", "length unstated", "epoch of the test unstated"),
)
_RESNET: Final = replace(
    _PLAIN,
    protocol=_PLAIN.protocol.replace("test set;", "test set, option B;"),
    unlike=("shortcut of option B", *_PLAIN.unlike),
)

PLAIN: Final = {
    20: (_PLAIN.figure("86.79"),),
    32: (_PLAIN.figure("88.33"),),
    44: (_PLAIN.figure("85.18"),),
    56: (_PLAIN.figure("84.38"),),
}
"""By depth."""

RESNET: Final = {
    20: (_RESNET.figure("88.66"), replace(_RESNET, statistic=Statistic.BEST).figure("89.71")),
    32: (_RESNET.figure("91.24"),),
    44: (_RESNET.figure("90.23"),),
    56: (_RESNET.figure("90.14"),),
}
"""By depth; in brackets the README has the best of several settings, here the second figure."""
