"""The networks of torchvision and timm, by name, without weights."""

import difflib
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

from torch import nn

from resbench.errors import UsageError
from resbench.models.constructing import Constructor

Picture = tuple[int, int, int]


def torchvision_constructor(name: str) -> Constructor:
    """Return what makes torchvision's network, without weights.

    Raises:
        UsageError: torchvision has none of that name.
    """
    models = importlib.import_module("torchvision.models")
    known = models.list_models()
    if name.lower() not in known:
        raise _unknown("torchvision", name, known, "torchvision.models.list_models()")
    make = models.get_model_builder(name)
    # Detection and segmentation would download the weights of their backbone.
    always = {"weights": None, "weights_backbone": None}
    takes = inspect.signature(make).parameters
    return Constructor(
        name=f"torchvision:{name}",
        make=make,
        always={key: value for key, value in always.items() if key in takes},
        resizes=True,
    )


def torchvision_input(name: str) -> Picture | None:
    """Return the picture that the first published weights of torchvision's network are for, where that is known."""
    models = importlib.import_module("torchvision.models")
    first = next(iter(models.get_model_weights(name)), None)
    settings = getattr(getattr(first, "transforms", None), "keywords", {})
    size = settings.get("crop_size") or settings.get("resize_size")
    return (3, size, size) if isinstance(size, int) else None


def timm_constructor(name: str) -> Constructor:
    """Return what makes timm's network, without weights.

    Raises:
        UsageError: timm is not installed, or has no network of that name.
    """
    if importlib.util.find_spec("timm") is None:
        raise UsageError(f"timm:{name} needs timm, which is not installed: pip install timm")
    timm = importlib.import_module("timm")
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise _unknown("timm", name, timm.list_models(), f"timm.list_models('*{architecture}*')")
    make = timm.model_entrypoint(architecture)
    return Constructor(
        name=f"timm:{name}",
        make=_Entry(timm.create_model, name, make),
        always={"pretrained": False},
        resizes=True,
    )


class _Entry:
    """timm's way to make a network, which seems to be the function that makes it: errors name what that takes."""

    def __init__(self, create: Callable[..., Any], name: str, make: Callable[..., Any]) -> None:
        self.create = partial(create, name)
        self.__wrapped__ = make

    def __call__(self, **arguments: Any) -> Any:
        return self.create(**arguments)


def configured_input(module: nn.Module) -> Picture | None:
    """Return the picture that a network says it is made for: timm's default configuration, a vision transformer's size."""
    for configuration in ("pretrained_cfg", "default_cfg"):
        found = getattr(module, configuration, None)
        size = found.get("input_size") if isinstance(found, dict) else None
        if isinstance(size, tuple | list) and len(size) == 3 and all(isinstance(side, int) for side in size):
            return cast("Picture", tuple(size))
    side = getattr(module, "image_size", None)
    return (3, side, side) if isinstance(side, int) else None


def _unknown(library: str, name: str, known: Iterable[str], listing: str) -> UsageError:
    near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"{listing} has the names"
    return UsageError(f"unknown model '{library}:{name}': {hint}")
