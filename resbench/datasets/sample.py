"""The built-in sample: a VOCdevkit of drawn pictures, so that everything runs with nothing downloaded.

It has the layout, the XML and the class names of PASCAL VOC, several objects a picture and some that are difficult;
the objects are coloured, textured outlines. One seed decides all of it. An accuracy on it says that the whole way
from file to report works, and nothing about photographs.
"""

import colorsys
import math
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from resbench.datasets.progress import Report, silent
from resbench.datasets.sample_looks import LOOKS, Look, Texture
from resbench.datasets.voc_annotation import VocObject
from resbench.datasets.voc_layout import List, annotation_file, list_file, picture_file

LABEL = "resbench sample (drawn pictures)"
SEED = 2007
PICTURES = {("2007", "trainval"): 100, ("2012", "trainval"): 140, ("2007", "test"): 80}
WIDTH, HEIGHT = 160, 120

_OBJECT = """\t<object>
\t\t<name>{name}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>{difficult}</difficult>
\t\t<bndbox>
\t\t\t<xmin>{box[0]}</xmin>
\t\t\t<ymin>{box[1]}</ymin>
\t\t\t<xmax>{box[2]}</xmax>
\t\t\t<ymax>{box[3]}</ymax>
\t\t</bndbox>
\t</object>
"""

_ANNOTATION = """<annotation>
\t<folder>VOC{year}</folder>
\t<filename>{image}.jpg</filename>
\t<source>
\t\t<database>{source}</database>
\t</source>
\t<size>
\t\t<width>{width}</width>
\t\t<height>{height}</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
{objects}</annotation>
"""


def draw_sample(devkit: Path, *, progress: Report = silent) -> None:
    """Draw the whole sample: `devkit` becomes a VOCdevkit with VOC2007 trainval + test and VOC2012 trainval.

    Raises:
        OSError: a file cannot be written.
    """
    random = Random(SEED)  # noqa: S311 - pictures, not secrets
    deck = _deal_classes(random)
    total, done = sum(PICTURES.values()), 0
    for year in ("2007", "2012"):
        for path in (
            annotation_file(devkit, year, ""),
            picture_file(devkit, year, ""),
            list_file(devkit, (year, "")),
        ):
            path.parent.mkdir(parents=True)
    for entry, count in PICTURES.items():
        images = [_image_name(entry, number) for number in range(1, count + 1)]
        for image in images:
            picture, objects = _draw_picture(random, deck, entry, image)
            picture.save(picture_file(devkit, entry[0], image), quality=90)
            annotation_file(devkit, entry[0], image).write_text(_annotate(objects, entry[0], image), "utf-8")
            done += 1
            progress("drawing the sample", done, total)
        _write_lists(devkit, entry, images)


def draw_one(random: Random, look: Look) -> Image.Image:
    """Return a picture of one object."""
    picture = _background(random)
    _draw_object(random, picture, look, (0, 1), faint=False)
    return picture


def _deal_classes(random: Random) -> Iterator[str]:
    """Yield classes from one shuffled deck after the other, so that each comes up as often as any."""
    while True:
        deck = list(LOOKS)
        random.shuffle(deck)
        yield from deck


def _image_name(entry: List, number: int) -> str:
    year, split = entry
    if year == "2007":
        return f"{number + (PICTURES['2007', 'trainval'] if split == 'test' else 0):06}"
    return f"{year}_{number:06}"


def _write_lists(devkit: Path, entry: List, images: list[str]) -> None:
    year, split = entry
    lists = {split: images}
    if split == "trainval":
        lists |= {"train": images[::2], "val": images[1::2]}
    for name, listed in lists.items():
        list_file(devkit, (year, name)).write_text("".join(f"{image}\n" for image in listed), "utf-8")


def _annotate(objects: list[VocObject], year: str, image: str) -> str:
    blocks = [
        _OBJECT.format(name=found.class_name, difficult=int(found.difficult), box=found.box)
        for found in objects
    ]
    return _ANNOTATION.format(
        year=year, image=image, source=LABEL, width=WIDTH, height=HEIGHT, objects="".join(blocks)
    )


def _draw_picture(
    random: Random, deck: Iterator[str], entry: List, image: str
) -> tuple[Image.Image, list[VocObject]]:
    picture = _background(random)
    objects = []
    columns = random.choice((1, 2, 2, 3))
    for column in range(columns):
        class_name = next(deck)
        difficult = random.random() < 0.12
        box = _draw_object(random, picture, LOOKS[class_name], (column, columns), faint=difficult)
        objects.append(
            VocObject(
                year=entry[0],
                split=entry[1],
                image=image,
                class_name=class_name,
                box=box,
                difficult=difficult,
            )
        )
    return picture, objects


def _background(random: Random) -> Image.Image:
    """Two greyish colours that pass into each other, under noise."""
    ends = [np.array([random.uniform(60, 200) for _ in range(3)]) for _ in range(2)]
    ends = [0.5 * end + 0.5 * end.mean() for end in ends]
    slope = random.random()
    share_HW = slope * np.linspace(0, 1, HEIGHT)[:, None] + (1 - slope) * np.linspace(0, 1, WIDTH)[None, :]
    noise_HW1 = np.frombuffer(random.randbytes(HEIGHT * WIDTH), np.uint8).reshape(HEIGHT, WIDTH, 1) / 255
    pixels_HWC = ends[0] + (ends[1] - ends[0]) * share_HW[:, :, None] + 30 * (noise_HW1 - 0.5)
    return Image.fromarray(pixels_HWC.clip(0, 255).astype(np.uint8))


def _draw_object(
    random: Random, picture: Image.Image, look: Look, place: tuple[int, int], *, faint: bool
) -> tuple[int, int, int, int]:
    """Draw one object into its column of the picture, and return its box as VOC counts it."""
    column, columns = place
    room = WIDTH / columns
    half_height = random.uniform(0.55, 0.95) * min(HEIGHT / 2, room / 2 / max(1.0, look.aspect))
    corners = look.outline(math.radians(random.uniform(-12, 12)))
    center_x = room * (column + 0.5) + random.uniform(-0.05, 0.05) * room
    center_y = random.uniform(half_height, HEIGHT - half_height)
    mask = Image.new("L", picture.size)
    outline = [(center_x + x * half_height, center_y + y * half_height) for x, y in corners]
    ImageDraw.Draw(mask).polygon(outline, fill=110 if faint else 255)
    picture.paste(_filling(random, look), mask=mask)
    left, top, right, bottom = mask.getbbox() or (0, 0, WIDTH, HEIGHT)
    return (left + 1, top + 1, right, bottom)


def _filling(random: Random, look: Look) -> Image.Image:
    """A whole picture of a class's texture, in its hue give or take a little."""
    hue = (look.hue + random.uniform(-0.02, 0.02)) % 1.0
    light = random.uniform(0.75, 1.0)
    bright, dark = (np.array(colorsys.hsv_to_rgb(hue, 0.8, light * value)) * 255 for value in (1.0, 0.45))
    period = random.choice((4, 5, 6))
    rows_HW, columns_HW = (axis // period % 2 for axis in np.indices((HEIGHT, WIDTH)))
    second_HW = {
        Texture.PLAIN: np.zeros((HEIGHT, WIDTH), dtype=int),
        Texture.ROWS: rows_HW,
        Texture.COLUMNS: columns_HW,
        Texture.CHECKS: rows_HW ^ columns_HW,
    }[look.texture]
    return Image.fromarray(np.where(second_HW[:, :, None], dark, bright).astype(np.uint8))
