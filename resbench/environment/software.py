"""The versions of what runs: Python, torch and how it was built, the libraries of a GPU, and our own code."""

import hashlib
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

import resbench
from resbench.environment.files import output

_LIBRARIES: Final = {
    "MKL": r"Math Kernel Library Version (\S+?)-",
    "oneDNN": r"MKL-DNN v(\S+)",
    "compiler": r"- (GCC \S+|clang \S+)",
    "build": r"BUILD_TYPE=(\w+)",
}
"""What `torch.__config__.show()` says of the build that matters to speed, and where."""


class Checkout(NamedTuple):
    """Which state of our code runs.

    Attributes:
        commit: empty for an installed package.
        changed: whether the package was changed since.
        changes: twelve hex digits that stand for those changes; empty without any.
    """

    commit: str = ""
    changed: bool = False
    changes: str = ""


def software_facts(device: torch.device) -> dict[str, str]:
    """Return the versions; those of CUDA's libraries for a GPU only."""
    # torchvision is asked for by its metadata: importing it takes longer than importing torch.
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": installed("torchvision"),
        "numpy": installed("numpy"),
        "pillow": installed("pillow"),
        "resbench": resbench.__version__,
        "kernel": platform.release(),
        "torch build": torch_build(torch.__config__.show()),
        "torch's CPU kernels": torch.backends.cpu.get_cpu_capability(),
    }
    if device.type == "cuda":
        cudnn: Any = torch.backends.cudnn
        versions["CUDA"] = torch.version.cuda or "not built in"
        versions["cuDNN"] = str(cudnn.version() or "not built in")
    return versions


def installed(distribution: str) -> str:
    """Return the version of a distribution, or that it is not installed; nothing is imported."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def torch_build(said: str) -> str:
    """Return what decides the speed of torch's CPU half, from what it says of its build."""
    found = {name: re.search(pattern, said) for name, pattern in _LIBRARIES.items()}
    return ", ".join(f"{name} {match[1]}" for name, match in found.items() if match)


def checkout(package: Path) -> Checkout:
    """Return the commit of the checkout whose package this is, and what was changed since.

    An installed package has none, even where its virtual environment lies inside some other checkout. Only changes
    in the package itself count: a report or a store written beside it changes nothing that a run does.
    """
    top = output("git", "-C", str(package), "rev-parse", "--show-toplevel").strip()
    if not top or Path(top).resolve() != package.resolve().parent:
        return Checkout()
    commit = output("git", "-C", top, "rev-parse", "HEAD").strip()
    if not commit:
        return Checkout()
    paths = _changed(Path(top), package.name)
    return Checkout(commit, bool(paths), _digest(Path(top), paths) if paths else "")


def _changed(top: Path, package: str) -> list[str]:
    """Return the files that differ from the commit, and the new ones that git does not ignore."""
    asked = (
        ("diff", "HEAD", "--name-only", "--no-renames", "--no-ext-diff", "-z"),
        ("ls-files", "--others", "--exclude-standard", "-z"),
    )
    said = [output("git", "-C", str(top), *arguments, "--", package) for arguments in asked]
    return sorted({path for text in said for path in text.split("\0") if path})


def _digest(top: Path, paths: list[str]) -> str:
    """Hash names and contents: a diff's text would depend on the user's settings of git."""
    whole = hashlib.sha256()
    for path in paths:
        file = top / path
        whole.update(f"{path}\0".encode(errors="surrogateescape"))
        whole.update(hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b"deleted")
    return whole.hexdigest()[:12]
