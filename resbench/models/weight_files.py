"""Tensors by name from a `.safetensors` or `.pth` file, without running code that a pickle may hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from resbench.errors import UsageError
from resbench.models.checkpoints import no_tensors, read_pickle, unwrap

PREFIXES = ("module.", "_orig_mod.")
"""What data parallelism and compilation put before the names of a network."""

SUFFIXES = (".pth", ".pt", ".safetensors")


class WeightFile(NamedTuple):
    """What a file holds.

    Attributes:
        tensors: by name, on the CPU.
        notes: what was taken off them: containers and prefixes.
    """

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def read_weights(path: Path) -> WeightFile:
    """Return the tensors of a file.

    Raises:
        UsageError: there is no such file, it is torn, of another format, holds code, or no tensors.
    """
    if not path.is_file():
        raise UsageError(f"there is no weight file '{path}'")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"weight file '{path}' is none of {', '.join(SUFFIXES)}")
    keys: tuple[str, ...] = ()
    if path.suffix == ".safetensors":
        tensors = _read_safetensors(path)
    else:
        tensors, keys = unwrap(read_pickle(path, "cpu"), path)
    if not tensors:
        raise no_tensors(path)
    named, prefix = without_prefix(tensors)
    notes = [f"Taken from {' in '.join(reversed(keys))} in the file."] if keys else []
    notes += [f"Without the '{prefix}' that all names in the file begin with."] if prefix else []
    return WeightFile(named, tuple(notes))


def without_prefix(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return the tensors under names without `PREFIXES`, where all have them, and what was left out."""
    found, taken = dict(tensors), ""
    while prefix := next(
        (prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in found)), ""
    ):
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
        taken += prefix
    return found, taken


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise UsageError(f"'{path}' is not a safetensors file, or a torn one ({error})") from error
