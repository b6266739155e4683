"""The confusion matrix as two files: numbers (CSV) and, beside them, a picture (SVG)."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from resbench.drawing import canvas
from resbench.errors import UsageError

_NAMED: Final = 40
"""Up to so many classes have their names at the axes."""

_NUMBERED: Final = 20
"""Up to so many classes have their counts in the cells."""

_FRAMED: Final[Any] = {"font__size": 8, "axes__spines__top": True, "axes__spines__right": True}
"""A matrix has many small words, and all four sides."""


def confusion_files(text: str) -> tuple[Path, Path]:
    """Return where numbers and picture go, found out before hours of testing and not after.

    Raises:
        UsageError: the file is no .csv, or can't be written.
    """
    path = Path(text).expanduser()
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--confusion {text}: name a .csv file; the picture goes beside it")
    for file in (path, path.with_suffix(".svg")):
        place = file if file.exists() else file.parent
        if file.is_dir() or not place.exists() or not os.access(place, os.W_OK):
            raise UsageError(
                f"cannot write {file}: no such folder, or no permission; choose another --confusion"
            )
    return path, path.with_suffix(".svg")


def write_confusion(
    files: tuple[Path, Path], counts_KK: Sequence[Sequence[int]], classes: Sequence[str], title: str
) -> None:
    """Write both files.

    Raises:
        OSError: the disk is full.
    """
    numbers, picture = files
    numbers.write_text(as_csv(counts_KK, classes), "utf-8")
    picture.write_bytes(drawn(counts_KK, classes, title))


def as_csv(counts_KK: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Return the counts, a row for each class that is right, a column for each that was answered."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["right \\ answered", *classes])
    writer.writerows([name, *row] for name, row in zip(classes, counts_KK, strict=True))
    return text.getvalue()


def drawn(counts_KK: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> bytes:
    """Return an SVG picture: the shade of a cell is its share of the row."""
    import numpy as np

    counts = np.asarray(counts_KK, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(11.0, 3.0 + 0.3 * len(classes))
    with canvas((side + 1.2, side), title, **_FRAMED) as picture:
        axes = picture.figure.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set(title=title, xlabel="answered", ylabel="right")
        if len(classes) <= _NAMED:
            axes.set_xticks(range(len(classes)), classes, rotation=90)
            axes.set_yticks(range(len(classes)), classes)
        if len(classes) <= _NUMBERED:
            for row, column in zip(*np.nonzero(counts), strict=True):
                colour = "white" if shares[row, column] > 0.6 else "black"
                axes.text(column, row, f"{counts[row, column]:g}", ha="center", va="center", color=colour)
        picture.figure.colorbar(image, label="share of the samples of a class")
    return picture.content
