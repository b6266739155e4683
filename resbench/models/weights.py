"""Loading weights into a network: torchvision's by name, or a local file's; and saying what does not fit."""

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.models.published_weights import published_file
from resbench.models.weight_files import read_weights

_SHOWN = 5
_OLD_DENSE = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


class Loaded(NamedTuple):
    """Weights that a network now has.

    Attributes:
        source: what they are, with the beginning of the file's SHA-256.
        tensors: how many.
        notes: what was done to make them fit.
    """

    source: str
    tensors: int
    notes: tuple[str, ...]


class Misfit(NamedTuple):
    """Why weights do not fit a network: names, and shapes in the file and in the network."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]


def load_weights(module: nn.Module, spec: str, *, name: str) -> Loaded:
    """Load weights into a network, all of them; one on the meta device takes the file's tensors as they are.

    Args:
        module: the network; after an error it is of no more use.
        spec: `IMAGENET1K_V1` or another name of torchvision's, or a `.safetensors`, `.pth` or `.pt` file.
        name: of the network: for torchvision's names, and for messages.

    Raises:
        UsageError: there are no such weights, the file can't be used, or its tensors don't fit the network.
        ResbenchError: torchvision's file is not here and can't be downloaded.
    """
    is_file = Path(spec).suffix in (".safetensors", ".pth", ".pt") or "/" in spec or Path(spec).is_file()
    path = Path(spec).expanduser() if is_file else published_file(name, spec)
    tensors, notes = read_weights(path)
    fit(module, _renamed(tensors), source=str(path), name=name)
    if not is_file and hasattr(module, "transform_input"):
        setattr(module, "transform_input", True)  # noqa: B010 - mypy takes it for a submodule; the weights of Inception and GoogLeNet are for other input statistics
    known = f"{spec} ({path.name})" if not is_file else path.name
    precision = {str(t.dtype).removeprefix("torch.") for t in tensors.values() if t.is_floating_point()} - {
        "float32"
    }
    if precision:
        notes = (*notes, f"Weights in {' and '.join(sorted(precision))} in the file.")
    return Loaded(f"{known}, SHA-256 {digest(path)}", len(tensors), notes)


def digest(path: Path) -> str:
    """Return the beginning of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under today's names: torchvision's DenseNet files have `norm.1` for `norm1`."""
    return {_OLD_DENSE.sub(r"\1\2", name): tensor for name, tensor in tensors.items()}


def fit(module: nn.Module, tensors: Mapping[str, Tensor], *, source: str, name: str) -> None:
    """Load tensors into a network, all of them.

    Args:
        module: the network; after an error it is of no more use.
        tensors: by name.
        source: of the tensors, for messages.
        name: of the network, for messages.

    Raises:
        UsageError: they don't fit.
    """
    wanted = module.state_dict()
    shapes = tuple(
        (key, tuple(tensors[key].shape), tuple(wanted[key].shape))
        for key in wanted
        if key in tensors and isinstance(wanted[key], Tensor) and tensors[key].shape != wanted[key].shape
    )
    different = {key for key, _, _ in shapes}
    on_meta = any(parameter.is_meta for parameter in module.parameters())
    fitting = {
        key: _aligned(tensor) if on_meta else tensor
        for key, tensor in tensors.items()
        if key not in different
    }
    try:
        found = module.load_state_dict(fitting, strict=False, assign=on_meta)
    except RuntimeError as error:  # a module with its own way to load
        raise UsageError(f"{source} does not fit {name}: {' '.join(str(error).split())[:300]}") from error
    missing = tuple(key for key in found.missing_keys if key not in different)
    if shapes or missing or found.unexpected_keys:
        raise misfit_error(Misfit(missing, tuple(found.unexpected_keys), shapes), source=source, name=name)


def _aligned(tensor: Tensor) -> Tensor:
    """Return the numbers where PyTorch would put them: products of others, as in a mapped file, differ in their last bit."""
    return tensor if tensor.data_ptr() % 64 == 0 else tensor.clone()


def misfit_error(misfit: Misfit, *, source: str, name: str) -> UsageError:
    """Return the error that lists what is missing, unexpected or of another shape, with near names."""
    near = {
        key: difflib.get_close_matches(key, misfit.unexpected, n=1, cutoff=0.6)
        for key in misfit.missing[:_SHOWN]
    }
    groups = [
        _group("missing", len(misfit.missing), [key + _near(near[key]) for key in misfit.missing[:_SHOWN]]),
        _group("unexpected", len(misfit.unexpected), misfit.unexpected[:_SHOWN]),
        _group(
            "of another shape",
            len(misfit.shapes),
            [
                f"{key}: {_by(theirs)} in the file, not {_by(ours)}"
                for key, theirs, ours in misfit.shapes[:_SHOWN]
            ],
        ),
    ]
    told = "; ".join(group for group in groups if group)
    return UsageError(f"{source} does not fit {name}: {told}" + _advice(misfit))


def _group(what: str, count: int, shown: Sequence[str]) -> str:
    if not count:
        return ""
    rest = f" and {count - len(shown)} more" if count > len(shown) else ""
    return f"{count} {what}: {', '.join(shown)}{rest}"


def _near(names: Iterable[str]) -> str:
    return "".join(f" (the file has {name})" for name in names)


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _advice(misfit: Misfit) -> str:
    """Return what to do, where that can be told."""
    if not (misfit.missing or misfit.unexpected):
        changes = {(theirs[0], ours[0]) for _, theirs, ours in misfit.shapes if theirs[:1] and ours[:1]}
        same_rest = all(theirs[1:] == ours[1:] for _, theirs, ours in misfit.shapes)
        if len(changes) == 1 and same_rest and len(misfit.shapes) <= 2:
            return f"; give --num-classes {next(iter(changes))[0]}"
    return "; 'resbench audit FILE' says what network a file is of"
