"""Where the built-in samples lie once they are drawn, and whether they are still what was drawn."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from resbench.cache import cache_folder
from resbench.datasets.progress import Report, silent
from resbench.datasets.sample import draw_sample
from resbench.datasets.sample_folder import draw_folders
from resbench.errors import UsageError

SEAL = "resbench-sample.sha256"
"""File in the drawn folder that holds the digest of every other file: without it the drawing was not finished."""

VERSION = 1
"""Raised when a sample is drawn differently, so that an older drawing is not taken for it."""


def ensure_sample(*, progress: Report = silent) -> Path:
    """Return the folder that holds the sample's VOCdevkit, drawn first where it is absent or damaged.

    Raises:
        UsageError: the cache folder cannot be written to.
    """
    return _ensure(f"sample-{VERSION}", "VOCdevkit", draw_sample, progress)


def ensure_folders(*, progress: Report = silent) -> Path:
    """Return the folder that holds the sample's `imagenet`, with `train` and `val`; drawn as `ensure_sample` does.

    Raises:
        UsageError: the cache folder cannot be written to.
    """
    return _ensure(f"sample-folders-{VERSION}", "imagenet", draw_folders, progress)


def _ensure(name: str, inner: str, draw: Callable[..., None], progress: Report) -> Path:
    folder = cache_folder() / name
    if is_intact(folder / inner):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="drawing-") as scratch:
            drawn = Path(scratch) / "sample"
            draw(drawn / inner, progress=progress)
            seal(drawn / inner)
            _replace(folder, drawn, inner)
    except OSError as error:
        raise UsageError(
            f"cannot draw the sample into {folder}: {error}: set RESBENCH_CACHE to a folder that can be written to"
        ) from error
    return folder


def is_sample(folder: Path) -> bool:
    """Return whether a VOCdevkit, or a folder with `train` and `val`, is a drawn sample, wherever it was copied to."""
    return (folder / SEAL).is_file()


def seal(folder: Path) -> None:
    """Write down the digest of a finished drawing."""
    (folder / SEAL).write_text(_digest(folder), "utf-8")


def is_intact(folder: Path) -> bool:
    """Return whether every file of the drawing is as it was drawn."""
    return is_sample(folder) and (folder / SEAL).read_bytes() == _digest(folder).encode()


def _replace(folder: Path, drawn: Path, inner: str) -> None:
    if folder.exists():
        # Another process may have drawn it meanwhile, and may be reading it.
        if is_intact(folder / inner):
            return
        shutil.rmtree(folder)
    drawn.rename(folder)


def _digest(folder: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEAL):
        state.update(
            f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return state.hexdigest()
