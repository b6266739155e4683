"""Weights that others trained, tested on ImageNet's validation set: one crop, ten crops, several scales."""

from dataclasses import replace
from typing import Final

from resbench.specs import Arm, Kind, Published, Suite
from resbench.suites.published.he2015 import MULTI_SCALE, TEN_CROP, paper
from resbench.suites.published.he2016 import IMAGENET
from resbench.suites.published.imagenet_weights import ONE_CROP_ERRORS, TIMM, TORCHVISION

_OTHERS: Final = ("weights of fb.resnet.torch",)


def _torchvision(model: str, version: str) -> Arm:
    further = TIMM[model] if version == "V1" else ()
    # The network is the same, the weights are not: a comparison would be one of two trainings.
    fb = (replace(figure, unlike=_OTHERS) for figure in ONE_CROP_ERRORS.get((model, "fb"), ()))
    return Arm(
        model=model,
        name=f"{model}_{version.lower()}",
        label=f"ResNet-{model.removeprefix('resnet')}, torchvision's {version}",
        published=(*TORCHVISION[model, version].accuracies, *further, *(fb if version == "V1" else ())),
        weights=f"IMAGENET1K_{version}",
    )


def _paper(model: str, label: str) -> Arm:
    """Return an arm of the paper's own form; its weights exist as Caffe files alone, so that a converted file is needed."""
    return Arm(
        model=model,
        name=f"{model}_paper",
        label=f"{label}, the paper's",
        published=(
            *ONE_CROP_ERRORS.get((model, "original"), ()),
            *TEN_CROP.get(model, ()),
            *MULTI_SCALE.get(model, ()),
            *IMAGENET.get((model, ""), ()),
        ),
        weights=f"{model}.safetensors",
    )


def _converted(model: str, label: str, by: str, figures: tuple[Published, ...]) -> Arm:
    """Return an arm whose weights exist for another framework alone, under a name that says by whom."""
    name = f"{model}_{by}"
    return Arm(model=model, name=name, label=label, published=figures, weights=f"{name}.safetensors")


SUITE = Suite(
    name="imagenet_eval",
    title="Published weights on ImageNet's validation set",
    question=(
        "Do published weights err as published: with one crop (torchvision, timm, the released Caffe models), ten crops "
        "(Table 3) and several scales (Table 4), or one crop of 320 pixels (2016, Table 5)?"
    ),
    source=paper("Tables 2 to 4"),
    kind=Kind.EVALUATED,
    data="imagenet",
    arms=tuple(_torchvision(model, version) for model, version in TORCHVISION),
    extra=(
        _paper("resnet34", "ResNet-34, option B"),
        _paper("resnet34_c", "ResNet-34, option C"),
        _paper("resnet50_v1", "ResNet-50"),
        _paper("resnet101_v1", "ResNet-101"),
        _paper("resnet152_v1", "ResNet-152"),
        _paper("resnet101_bn_after_add", "ResNet-101, BN after addition"),
        _paper("resnet152_preact", "ResNet-152, pre-activation"),
        _paper("resnet200", "ResNet-200"),
        _paper("resnet200_preact", "ResNet-200, pre-activation"),
        _converted(
            "resnet200_preact",
            "ResNet-200, pre-activation, aspect ratio augmented",
            "aspect",
            IMAGENET["resnet200_preact", "aspect"],
        ),
        *(
            _converted(
                f"resnet{depth}",
                f"ResNet-{depth}, pycls",
                "pycls",
                ONE_CROP_ERRORS[f"resnet{depth}", "pycls"],
            )
            for depth in (50, 101, 152)
        ),
    ),
)
