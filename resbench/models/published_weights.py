"""The weights that torchvision publishes, by name: where their file is, and whether it is the one that was published."""

import contextlib
import hashlib
import importlib
import re
import socket
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from resbench.architectures.naming import parse_model
from resbench.errors import ResbenchError, UsageError, unknown

SAME_AS_TORCHVISION = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "wide_resnet50_2",
    "wide_resnet101_2",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "vgg16",
    "vgg19",
    "densenet121",
)
"""Our networks that torchvision has, too, under the same name. Others of the same shapes, as `resnet50_v1`, are not."""

_TIMEOUT_S = 30


def published_file(model: str, weights: str) -> Path:
    """Return the file of published weights, downloaded where it is not in torch's hub folder; its hash is checked.

    Args:
        model: one of `SAME_AS_TORCHVISION`, or `torchvision:NAME`.
        weights: `IMAGENET1K_V1`, `DEFAULT` or another that torchvision has for the network.

    Raises:
        UsageError: torchvision has no such weights, or the file in the folder is another than was published.
        ResbenchError: it can't be downloaded.
    """
    url = _address(model, weights)
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        _download(url, path)
    check_hash(path)
    return path


def check_hash(path: Path) -> None:
    """Check a file whose name ends with the beginning of its SHA-256, as `resnet50-0676ba61.pth`.

    Raises:
        UsageError: it has another.
    """
    expected = _hash_in(path.name)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(expected):
        raise UsageError(
            f"'{path}' is not what torchvision published: its SHA-256 begins with {found[: len(expected)]}, "
            f"not {expected}: delete it, and it will be downloaded again"
        )


def _hash_in(file_name: str) -> str:
    matched = re.search(r"-([0-9a-f]{8,64})\.[a-z]+$", file_name)
    if matched is None:
        raise UsageError(
            f"'{file_name}' has no hash in its name, so that it can't be checked: give it as a file"
        )
    return matched[1]


def _address(model: str, weights: str) -> str:
    asked = parse_model(model)
    base = asked.base
    name = base.removeprefix("torchvision:").lower()
    is_same = base in SAME_AS_TORCHVISION and not set(asked.arguments) - {"classes"}
    if not is_same and not base.startswith("torchvision:"):
        raise UsageError(
            f"weights '{weights}' are no file, and torchvision publishes none for {model}: "
            "give a .safetensors or .pth file"
        )
    known = importlib.import_module("torchvision.models").get_model_weights(name)
    short = weights.rpartition(".")[2]
    if short not in known.__members__:
        if not known.__members__:
            raise UsageError(f"torchvision publishes no weights for {name}: give a .safetensors or .pth file")
        raise unknown(f"weights of {name} (and no file)", weights, known.__members__)
    member: Any = known[short]
    return str(member.url)


def _download(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _patience(_TIMEOUT_S):
            torch.hub.download_url_to_file(url, str(path), _hash_in(path.name), progress=sys.stderr.isatty())
    except (urllib.error.URLError, OSError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise ResbenchError(f"can't download {url} ({reason}): put that file at {path}") from error
    except RuntimeError as error:  # torch's word for another hash
        raise ResbenchError(f"{url} gave another file than was published ({error}): try again") from error


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Give up on a server that is silent for so long."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
