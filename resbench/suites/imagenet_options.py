"""ResNet-34 with shortcut options A, B and C, and without shortcuts, trained on ImageNet."""

from resbench.specs import Arm, Suite
from resbench.suites.published.he2015 import TEN_CROP, paper
from resbench.training.recipes import IMAGENET_HE2015

_LABELS = {
    "resnet34_a": "ResNet-34, option A",
    "resnet34": "ResNet-34, option B",
    "resnet34_c": "ResNet-34, option C",
}
_MORE = {
    "plain34": "plain-34",
    "resnet18_a": "ResNet-18, option A",
    "plain18": "plain-18",
    "resnet50_v1": "ResNet-50",
    "resnet101_v1": "ResNet-101",
    "resnet152_v1": "ResNet-152",
}


def _arms(labels: dict[str, str]) -> tuple[Arm, ...]:
    return tuple(Arm(model=model, label=label, published=TEN_CROP[model]) for model, label in labels.items())


SUITE = Suite(
    name="imagenet_options",
    title="Shortcut options A, B and C of ResNet-34 on ImageNet",
    question="Are projections needed for the shortcuts of ResNet-34? Ten-crop errors beside Table 3.",
    source=paper("section 4.1, Tables 2 and 3"),
    data="imagenet",
    recipe=IMAGENET_HE2015,
    arms=_arms(_LABELS),
    extra=_arms(_MORE),
)
