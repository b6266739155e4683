"""From the options of `resbench evaluate` to a protocol: whose test it is, and what was changed in it."""

import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from resbench.architectures.naming import find_architecture, parse_model
from resbench.errors import UsageError, unknown
from resbench.specs import Recipe
from resbench.training.protocols import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Average,
    Protocol,
    Views,
    imagenet_protocol,
    protocol_of,
)
from resbench.training.recipes import HE2015_CIFAR, RECIPES, VOC_ZJ2020

NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "pixel_mean": ((), ()),
}
"""Mean and standard deviation by name; none of them: the training set's mean of each pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the command line says of the protocol; None or empty: nothing.

    Attributes:
        resize: 0 is not at all.
        scales: numbers with commas between.
        normalise: a name of `NORMALISATIONS`, or `MEAN/STD` with commas between the channels.
    """

    views: Views | None = None
    resize: int | None = None
    crop: int | None = None
    scales: str = ""
    interpolation: str = ""
    antialias: bool | None = None
    normalise: str = ""
    mirrored: bool | None = None
    average: Average | None = None


class Chosen(NamedTuple):
    """A protocol, and whose it is in words."""

    protocol: Protocol
    source: str


def chosen_protocol(model: str, weights: str, kind: str, recipe: str, changes: Changes) -> Chosen:
    """Return the protocol: the named recipe's test, the published weights' own, or the usual one of this kind of data.

    Args:
        model: as it was given.
        weights: as they were given.
        kind: of the data.
        recipe: whose test it is; may be empty.
        changes: what else the command line says.

    Raises:
        UsageError: there is no such recipe, or the options don't go together.
    """
    base = _base(model, weights, kind, recipe)
    protocol = changed(base.protocol, changes)
    return Chosen(protocol, base.source if protocol == base.protocol else f"{base.source}, changed")


def _base(model: str, weights: str, kind: str, recipe: str) -> Chosen:
    if recipe:
        found = {known.name: known for known in RECIPES}
        if recipe not in found:
            raise unknown("recipe", recipe, found)
        return Chosen(_tested_by(found[recipe]), f"the test of recipe {recipe}")
    from resbench.trial.published_protocol import published_protocol

    published = published_protocol(model, weights)
    if published is not None:
        return Chosen(published, f"what torchvision publishes with {weights}")
    usual = {"voc0712": VOC_ZJ2020, "cifar10": HE2015_CIFAR, "cifar100": HE2015_CIFAR}.get(kind)
    if usual is not None:
        return Chosen(_tested_by(usual), f"the test of recipe {usual.name}")
    return Chosen(imagenet_protocol(_side(model)), "the usual one of ImageNet for this network's input")


def _tested_by(recipe: Recipe) -> Protocol:
    return protocol_of(recipe.pictures, held_out=recipe.validation)


def _side(model: str) -> int:
    """Return the side of the picture that the network is made for, making it without memory where it isn't ours."""
    if not parse_model(model).is_outside:
        return find_architecture(model).input_CHW[2]
    import torch

    from resbench.models.outside import PICTURE_CHW, open_model

    if parse_model(model).base.partition(":")[0] not in {"torchvision", "timm"}:
        return PICTURE_CHW[2]  # their code is called once only, for the network itself
    with torch.device("meta"):
        return open_model(model).input_CHW[2]


def changed(base: Protocol, changes: Changes) -> Protocol:
    """Return the protocol with the changes.

    Raises:
        UsageError: they don't go together.
    """
    views = changes.views or base.views
    is_cropped = views in (Views.CENTER, Views.TEN_CROP)
    new: dict[str, Any] = {
        "views": views,
        "crop": changes.crop or (base.crop if is_cropped else None),
        "mirrored": views is Views.MULTI_SCALE if changes.mirrored is None else changes.mirrored,
    }
    if changes.resize is not None:
        new["resize"] = changes.resize or None
    if changes.scales:
        if views is not Views.MULTI_SCALE:
            raise UsageError(f"--scales are for --views multi_scale, not {views}")
        new["scales"] = _scales(changes.scales)
    if changes.normalise:
        new["mean"], new["std"] = normalisation_called(changes.normalise)
    given: dict[str, Any] = {
        "interpolation": changes.interpolation or None,
        "antialias": changes.antialias,
        "average": changes.average,
    }
    return replace(base, **new, **{name: value for name, value in given.items() if value is not None})


def normalisation_called(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel from a name, or from numbers.

    Raises:
        UsageError: the text is neither.
    """
    if text in NORMALISATIONS:
        return NORMALISATIONS[text]
    if "/" not in text:
        raise unknown("normalisation (and no MEAN/STD)", text, NORMALISATIONS)
    mean, std = (_numbers(part) for part in text.split("/", 1))
    if not mean or len(mean) != len(std) or len(mean) not in {1, 3}:
        raise UsageError(
            f"--normalise '{text}' is no MEAN/STD: give it as 0.5,0.5,0.5/0.25,0.25,0.25 or 0.5/0.25"
        )
    return (mean, std) if len(mean) == 3 else (mean * 3, std * 3)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return ()


def _scales(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-9][0-9]{0,4}(,[1-9][0-9]{0,4})*", text.replace(" ", "")):
        raise UsageError(
            f"--scales '{text}' are no pixels: give numbers with commas between, as in 224,256,384"
        )
    return tuple(int(part) for part in text.split(","))
