"""A folder of pictures, one folder for each class: classes, pictures and their order are those of torchvision's `ImageFolder`."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from resbench.datasets.data import Split
from resbench.datasets.progress import Report, silent
from resbench.datasets.voc_crops import read_picture
from resbench.errors import UsageError

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What counts as a picture, in any case of letters; other files are passed over."""

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPictures:
    """Loads the RGB picture at each of `paths`, which are relative to `root`."""

    root: Path
    paths: tuple[str, ...]

    def __call__(self, index: int) -> Image.Image:
        """Return one picture.

        Raises:
            ResbenchError: it cannot be read.
        """
        return read_picture(self.root / self.paths[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder:
    """What a folder holds: the names of the classes in sorted order, which is that of their labels, and the samples."""

    classes: tuple[str, ...]
    split: Split
    fingerprint: str


def open_image_folder(root: Path, *, progress: Report = silent) -> ImageFolder:
    """Return the labelled pictures of `root/CLASS/.../picture.jpg`.

    Names are sorted as Python sorts strings, so that ImageNet's folders (`n01440764`, ...) get the labels 0 to 999 that
    published weights have.

    Args:
        root: holds one folder for each class, and nothing else that is a folder.
        progress: told how many classes are read.

    Raises:
        UsageError: there is no such folder, no class in it, or a class without a picture.
    """
    classes = class_folders(root)
    if not classes:
        raise UsageError(f"{root} holds no folder: give one that holds a folder of pictures for each class")
    paths: list[str] = []
    labels: list[int] = []
    empty: list[str] = []
    state = hashlib.sha256()
    for label, name in enumerate(classes):
        progress("reading the folder", label, len(classes))
        found = [(str(path.relative_to(root)), path.stat().st_size) for path in _pictures(root / name)]
        for path, size_B in found:
            state.update(f"{path}\t{size_B}\n".encode(errors="surrogateescape"))
        paths += [path for path, _ in found]
        labels += [label] * len(found)
        empty += [] if found else [name]
    if empty:
        shown = ", ".join(empty[:_SHOWN]) + (
            f" and {len(empty) - _SHOWN} more" if len(empty) > _SHOWN else ""
        )
        raise UsageError(
            f"{len(empty)} of the {len(classes)} folders in {root} hold no picture ({shown}): each folder is a class; "
            f"pictures are {', '.join(SUFFIXES)}"
        )
    split = Split(labels=tuple(labels), load=FolderPictures(root=root, paths=tuple(paths)))
    return ImageFolder(classes=classes, split=split, fingerprint=state.hexdigest())


def class_folders(root: Path) -> tuple[str, ...]:
    """Return the names of the folders in `root`, sorted.

    Raises:
        UsageError: `root` is no folder.
    """
    if not root.is_dir():
        raise UsageError(f"no data: there is no folder {root}")
    with os.scandir(root) as entries:
        return tuple(sorted(entry.name for entry in entries if entry.is_dir()))


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures below a class's folder, at any depth, in the order of torchvision."""
    for place, _, names in sorted(os.walk(folder, followlinks=True)):
        yield from (Path(place) / name for name in sorted(names) if name.lower().endswith(SUFFIXES))
