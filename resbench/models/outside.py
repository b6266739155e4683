"""Networks from anywhere: ours by name, torchvision's, timm's, and what a user's own code returns.

Running a user's file runs the user's code: naming it is asking for that.
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import nn

from resbench.architectures.description import Architecture
from resbench.architectures.naming import ModelName, find_architecture, parse_model
from resbench.models import libraries, user_code
from resbench.models.build import build
from resbench.models.constructing import construct

PICTURE_CHW = (3, 224, 224)
"""What a network gets that does not say what it wants."""


class OpenedModel(NamedTuple):
    """A network, in training mode as it was made.

    Attributes:
        name: in one spelling.
        architecture: its description where it is one of ours; else None.
        input_CHW: the picture that it is made for, as far as that is known.
    """

    name: str
    module: nn.Module
    architecture: Architecture | None
    input_CHW: tuple[int, int, int]


def open_model(name: str, *, classes: int | None = None) -> OpenedModel:
    """Return the network that `name` stands for, made under the active device: `torch.device("meta")` allocates nothing.

    Args:
        name: a catalogued name, `torchvision:NAME`, `timm:NAME`, `package.module:callable` or
            `path/to/file.py:callable`, with arguments as `NAME(key=value,...)`. The callable is a function or class
            that returns an `nn.Module`, or is one.
        classes: outputs of the head; default: the network's own.

    Raises:
        UsageError: there is no such network, or it can't be made; the message says why in one line.
    """
    asked = parse_model(name)
    if not asked.is_outside:
        architecture = find_architecture(name)
        module = build(architecture, classes=classes)
        return OpenedModel(architecture.name, module, architecture, architecture.input_CHW)
    with other_peoples_code():
        return _opened(asked, classes)


def _opened(asked: ModelName, classes: int | None) -> OpenedModel:
    library, _, name = asked.base.partition(":")
    if library == "torchvision":
        constructor = libraries.torchvision_constructor(name)
    elif library == "timm":
        constructor = libraries.timm_constructor(name)
    else:
        with _importable(asked):
            module = construct(user_code.constructor(asked.base), asked.arguments, classes)
        return OpenedModel(str(asked), module, None, libraries.configured_input(module) or PICTURE_CHW)
    module = construct(constructor, asked.arguments, classes)
    found = libraries.configured_input(module)
    if library == "torchvision":
        found = found or libraries.torchvision_input(name)
    return OpenedModel(str(asked), module, None, found or PICTURE_CHW)


@contextlib.contextmanager
def other_peoples_code() -> Iterator[None]:
    """Keep what others' code warns of quiet, and what it prints on standard output out of ours, on standard error."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _importable(asked: ModelName) -> Iterator[None]:
    """Let the code import what lies beside its file, or where the command was called."""
    file = user_code.file_of(asked.base)
    folder = str(Path.cwd() if file is None else file.parent)
    before = list(sys.path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = before
