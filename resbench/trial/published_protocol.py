"""How torchvision tests the weights that it publishes: the transforms that come with them, as a protocol."""

import importlib
from pathlib import Path
from typing import Any

from resbench.architectures.naming import parse_model
from resbench.models.published_weights import SAME_AS_TORCHVISION
from resbench.training.protocols import Protocol, Views


def published_protocol(model: str, weights: str) -> Protocol | None:
    """Return the protocol of published weights; None for a file, other networks, and names that torchvision has not.

    Args:
        model: a catalogued name that torchvision has, too, or `torchvision:NAME`.
        weights: `IMAGENET1K_V1` or another name.
    """
    base = parse_model(model).base
    if base not in SAME_AS_TORCHVISION and not base.startswith("torchvision:"):
        return None
    if Path(weights).suffix or Path(weights).is_file():
        return None
    models = importlib.import_module("torchvision.models")
    name = base.removeprefix("torchvision:").lower()
    if name not in models.list_models():
        return None
    member = models.get_model_weights(name).__members__.get(weights)
    return None if member is None else _of_transforms(member.transforms())


def _of_transforms(transforms: Any) -> Protocol | None:
    if not hasattr(transforms, "crop_size") or not hasattr(transforms, "resize_size"):
        return None  # of detection or video: not our task
    return Protocol(
        views=Views.CENTER,
        resize=transforms.resize_size[0],
        interpolation=transforms.interpolation.value,
        antialias=bool(transforms.antialias),
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        crop=transforms.crop_size[0],
    )
