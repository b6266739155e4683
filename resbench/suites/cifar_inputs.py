"""How pictures enter ResNet-20 on CIFAR-10: raw, by three sets of statistics, per pixel; with and without augmentation."""

from dataclasses import replace

from resbench.specs import Arm, Pictures, Source, Suite
from resbench.suites.published.he2015 import CIFAR_ERRORS
from resbench.training.recipes import HE2015_CIFAR

_PUBLISHED = HE2015_CIFAR.pictures

_INPUTS: dict[str, tuple[str, Pictures]] = {
    "per_pixel": ("per-pixel mean", _PUBLISHED),
    "raw_1": ("raw, 0 to 1", replace(_PUBLISHED, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))),
    "raw_255": ("raw, 0 to 255", replace(_PUBLISHED, mean=(0.0, 0.0, 0.0), std=(1 / 255, 1 / 255, 1 / 255))),
    "imagenet": (
        "ImageNet's statistics",
        replace(_PUBLISHED, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    ),
    "cifar": (
        "CIFAR-10's statistics",
        replace(_PUBLISHED, mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.243, 0.261)),
    ),
}


def _arms(name: str, label: str, pictures: Pictures) -> tuple[Arm, Arm]:
    bare = replace(pictures, pad=0, flip=False)
    published = name == "per_pixel"
    return (
        Arm(
            model="cifar_resnet20",
            name=name,
            label=f"{label}, augmented",
            published=CIFAR_ERRORS[20] if published else (),
            recipe=None
            if published
            else replace(HE2015_CIFAR, name=f"he2015_cifar_{name}", pictures=pictures),
        ),
        Arm(
            model="cifar_resnet20",
            name=f"{name}_bare",
            label=f"{label}, not augmented",
            recipe=replace(HE2015_CIFAR, name=f"he2015_cifar_{name}_bare", pictures=bare),
        ),
    )


SUITE = Suite(
    name="cifar_inputs",
    title="How pictures enter ResNet-20 on CIFAR-10",
    question=(
        "Which normalisation does ResNet-20 need, and what does augmentation bring? People who stay below the paper's figure "
        "blame ImageNet's statistics, values from 0 to 1, or crops and flips; each is one arm."
    ),
    source=Source(
        title="kuangliu/pytorch-cifar, issue 19",
        where="the right normalisation of CIFAR-10",
        url="https://github.com/kuangliu/pytorch-cifar/issues/19",
    ),
    data="cifar10",
    recipe=HE2015_CIFAR,
    arms=tuple(arm for name, (label, pictures) in _INPUTS.items() for arm in _arms(name, label, pictures)),
)
