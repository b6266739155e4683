"""Names and shapes of the tensors in a checkpoint, without their content and without running code from the file."""

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from resbench.errors import UsageError

Shapes = tuple[tuple[str, tuple[int, ...]], ...]

_CONTAINERS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "module",
    "weights",
    "params",
    "state_dict_ema",
    "model_ema",
    "ema",
)
"""Keys under which training scripts put a state dict, the first to be taken first."""

_LARGEST_HEADER = 100_000_000
"""Bytes; what the safetensors library allows, too."""


class Checkpoint(NamedTuple):
    """What a file holds.

    Attributes:
        tensors: names and shapes, in the order of the file.
        unwrapped: what stood around them, outermost first: "'state_dict'", "prefix 'module.'".
    """

    tensors: Shapes
    unwrapped: tuple[str, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """Return names and shapes of a checkpoint's tensors, without what commonly stands around a state dict.

    Args:
        path: of a `.safetensors` file, or of one that `torch.save` wrote.

    Raises:
        UsageError: the file is not there, is no checkpoint, or holds more than tensors and plain values.
    """
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder: name a .safetensors or .pth file in it")
    if not path.is_file():
        raise UsageError(f"there is no file '{path}'")
    keys: tuple[str, ...] = ()
    if path.suffix == ".safetensors":
        tensors = _safetensors(path)
    else:
        found, keys = unwrap(read_pickle(path, "meta"), path)
        tensors = tuple((name, tuple(tensor.shape)) for name, tensor in found.items())
    if not tensors:
        raise no_tensors(path)
    names, prefix = _without_prefix([name for name, _ in tensors])
    shapes = (shape for _, shape in tensors)
    around = (*keys, *([f"prefix '{prefix}'"] if prefix else []))
    return Checkpoint(tuple(zip(names, shapes, strict=True)), around)


def _safetensors(path: Path) -> Shapes:
    """Return what the header says: its length in 8 bytes, then JSON."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= min(size - 8, _LARGEST_HEADER) else b""
    try:
        entries = json.loads(header)
        return tuple(
            (name, tuple(int(side) for side in entry["shape"]))
            for name, entry in entries.items()
            if name != "__metadata__"
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"'{path}' is not a safetensors file: its header can't be read") from error


def no_tensors(path: Path) -> UsageError:
    """Return the error for a file that holds none."""
    return UsageError(f"'{path}' holds no tensors under names: save a model's state_dict()")


def read_pickle(path: Path, device: str) -> Any:
    """Return what `torch.save` wrote, with its tensors on `device`; nothing but tensors and plain values is unpickled.

    Raises:
        UsageError: the file is torn, of another format, or holds more.
    """
    path.open("rb").close()  # says by itself why a file can't be opened: of a torn one torch says the same
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of the formats that are refused below
            return torch.load(path, map_location=device, weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:
        # Any bytes may be given: torch says so by many kinds of error.
        named = re.search(r"GLOBAL (\S+) (?:was not an allowed global|whose module)", str(error))
        # A name cut short, of a function that rebuilds tensors, is what a torn file ends with.
        torn = named is not None and named[1].startswith("torch._utils.")
        if isinstance(error, pickle.UnpicklingError) and _is_pickle(path) and not torn:
            held = f" ({named[1]})" if named else ""
            raise UsageError(
                f"'{path}' holds Python objects beside tensors{held}, and reading those may run code from the file: "
                "save the model's state_dict() alone"
            ) from error
        raise UsageError(f"'{path}' is not a checkpoint, or a torn one: torch can't read it") from error


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return zipfile.is_zipfile(path) or file.read(1) == pickle.PROTO


def unwrap(found: Any, path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors of a state dict that may lie in dictionaries within dictionaries, and their keys, quoted.

    Raises:
        UsageError: there are several dictionaries, and none is known to be the model's.
    """
    keys: list[str] = []
    while isinstance(found, Mapping):
        tensors = {
            name: value
            for name, value in found.items()
            if isinstance(name, str) and isinstance(value, Tensor)
        }
        if tensors:
            return tensors, tuple(f"'{key}'" for key in keys)
        inner = [key for key, value in found.items() if isinstance(value, Mapping)]
        known = [key for key in _CONTAINERS if key in inner]
        if not known and len(inner) > 1:
            raise UsageError(
                f"'{path}' holds several dictionaries, {', '.join(map(str, inner))}: which is the model?"
            )
        if not (known or inner):
            break
        key = (known or inner)[0]
        keys.append(str(key))
        found = found[key]
    return {}, ()


def _without_prefix(names: list[str]) -> tuple[list[str], str]:
    """Leave out what all names share in front, as `module.`; a module's own name stays."""
    prefix = ""
    while all(name.count(".") > 1 for name in names) and len({name.partition(".")[0] for name in names}) == 1:
        prefix += names[0].partition(".")[0] + "."
        names = [name.partition(".")[2] for name in names]
    return names, prefix
