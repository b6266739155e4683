"""Where the built-in sample lies once it is drawn, and whether it is still what was drawn."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from resbench.cache import cache_folder
from resbench.datasets.progress import Report, silent
from resbench.datasets.sample import draw_sample
from resbench.errors import UsageError

SEAL = "resbench-sample.sha256"
"""File beside VOC2007 and VOC2012 that holds the digest of every other file: without it the drawing was not finished."""

VERSION = 1
"""Raised when the sample is drawn differently, so that an older drawing is not taken for it."""


def ensure_sample(*, progress: Report = silent) -> Path:
    """Return the folder that holds the sample's VOCdevkit, drawn first where it is absent or damaged.

    Raises:
        UsageError: the cache folder cannot be written to.
    """
    folder = cache_folder() / f"sample-{VERSION}"
    if is_intact(folder / "VOCdevkit"):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="drawing-") as scratch:
            drawn = Path(scratch) / "sample"
            draw_sample(drawn / "VOCdevkit", progress=progress)
            seal(drawn / "VOCdevkit")
            _replace(folder, drawn)
    except OSError as error:
        raise UsageError(
            f"cannot draw the sample into {folder}: {error}: set RESBENCH_CACHE to a folder that can be written to"
        ) from error
    return folder


def is_sample(devkit: Path) -> bool:
    """Return whether a VOCdevkit is the drawn sample, wherever it was copied to."""
    return (devkit / SEAL).is_file()


def seal(devkit: Path) -> None:
    """Write down the digest of a finished drawing."""
    (devkit / SEAL).write_text(_digest(devkit), "utf-8")


def is_intact(devkit: Path) -> bool:
    """Return whether every file of the drawing is as it was drawn."""
    return is_sample(devkit) and (devkit / SEAL).read_bytes() == _digest(devkit).encode()


def _replace(folder: Path, drawn: Path) -> None:
    if folder.exists():
        # Another process may have drawn it meanwhile, and may be reading it.
        if is_intact(folder / "VOCdevkit"):
            return
        shutil.rmtree(folder)
    drawn.rename(folder)


def _digest(devkit: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(path for path in devkit.rglob("*") if path.is_file() and path.name != SEAL):
        state.update(
            f"{path.relative_to(devkit).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return state.hexdigest()
