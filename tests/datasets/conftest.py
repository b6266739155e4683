"""A VOCdevkit of a test's own making."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Row = tuple[str, tuple[float, float, float, float], int]
"""Class, box and difficult of one object."""

Devkit = Mapping[tuple[str, str], Mapping[str, Sequence[Row]]]
"""The objects of each picture of each list."""


def annotation_xml(rows: Sequence[Row]) -> str:
    """Return XML as VOC writes it; each person has a head with a box of its own, before the person's."""
    objects = "".join(
        "<object>"
        + ("<part><name>head</name>" + _box((1, 1, 3, 3)) + "</part>" if name == "person" else "")
        + f"<name>{name}</name><difficult>{difficult}</difficult>{_box(box)}</object>\n"
        for name, box, difficult in rows
    )
    return f"<annotation><folder>VOC</folder>{objects}</annotation>\n"


def _box(box: tuple[float, float, float, float]) -> str:
    fields = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    return "<bndbox>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields) + "</bndbox>"


def position_picture(width: int = 200, height: int = 150) -> Image.Image:
    """Return a picture whose red is the column and whose green is the row of each pixel."""
    y_HW, x_HW = np.indices((height, width), dtype=np.uint8)
    return Image.fromarray(np.stack([x_HW, y_HW, np.zeros_like(x_HW)], axis=2))


@pytest.fixture
def make_devkit(tmp_path: Path) -> Callable[[Devkit], Path]:
    """Return a function that writes a VOCdevkit and returns the folder that holds it."""

    def make(devkit: Devkit) -> Path:
        for (year, split), pictures in devkit.items():
            folder = tmp_path / "VOCdevkit" / f"VOC{year}"
            for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
                (folder / part).mkdir(parents=True, exist_ok=True)
            names = "".join(f"{name}\n" for name in pictures)
            (folder / "ImageSets/Main" / f"{split}.txt").write_text(names)
            for name, rows in pictures.items():
                (folder / "Annotations" / f"{name}.xml").write_text(annotation_xml(rows))
                # Lossless under the name of a JPEG: the decoder goes by the contents.
                position_picture().save(folder / "JPEGImages" / f"{name}.jpg", format="PNG")
        return tmp_path

    return make


@pytest.fixture
def small_devkit(make_devkit: Callable[[Devkit], Path]) -> Path:
    """Return the folder of a VOC2012 of two training pictures and one test picture."""
    return make_devkit(
        {
            ("2012", "train"): {
                "2012_1": [("person", (10, 20, 60, 80), 0), ("dog", (5, 5, 50, 40), 1)],
                "2012_2": [("cat", (1, 1, 200, 150), 0)],
            },
            ("2012", "val"): {
                "2012_3": [
                    ("cat", (30, 40, 90, 100), 0),
                    ("sofa", (100, 50, 180, 140), 0),
                    ("cat", (2, 2, 9, 9), 0),
                ]
            },
        }
    )
