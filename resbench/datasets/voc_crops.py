"""VOC object crops: each object that is not difficult is one sample.

The crop is `image[ymin:ymax, xmin:xmax]` with the XML's integers, counted from 1, used as they are, so that its first
row and column are lost and the last is left out. That is what the VOC 07+12 protocol does, and it is kept.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from resbench.datasets.data import Data, Split, majority_share
from resbench.datasets.progress import Report, silent
from resbench.datasets.voc_annotation import VocObject
from resbench.datasets.voc_index import VocIndex, class_counts, read_index, samples
from resbench.datasets.voc_layout import VOC_07_12, picture_file
from resbench.datasets.voc_published import CLASSES, COUNTS
from resbench.errors import ResbenchError, UsageError
from resbench.specs import DataIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class VocCrops:
    """Loads the crop of each of `objects` from the pictures of a VOCdevkit."""

    devkit: Path
    objects: tuple[VocObject, ...]

    def __call__(self, index: int) -> Image.Image:
        """Return the RGB crop of one object.

        Raises:
            ResbenchError: its picture cannot be read, or does not reach to its box.
        """
        found = self.objects[index]
        path = picture_file(self.devkit, found.year, found.image)
        return crop(_last_picture(path), found.box, path)


def open_voc(root: Path, *, label: str = "", progress: Report = silent) -> Data:
    """Return the object crops of the VOCdevkit in (or at) `root`.

    Args:
        root: the folder that holds VOCdevkit, or VOCdevkit itself.
        label: what reports call it, where it is not PASCAL's own data.
        progress: told how many annotations are read.

    Raises:
        UsageError: the folder cannot be used; see `resbench.datasets.voc_index.read_index`.
    """
    index = read_index(root, progress=progress)
    train, test = samples(index.train), samples(index.test)
    if not train or not test:
        raise UsageError(
            f"{index.devkit} has {len(train)} training and {len(test)} test objects that are not difficult: "
            "both are needed"
        )
    labels = {name: number for number, name in enumerate(CLASSES)}
    splits = [
        Split(
            labels=tuple(labels[found.class_name] for found in part),
            load=VocCrops(devkit=index.devkit, objects=part),
        )
        for part in (train, test)
    ]
    identity = DataIdentity(
        kind="voc_crops",
        label=label or describe(index),
        official=not label and is_official(index),
        fingerprint=_fingerprint(index.devkit, train, test),
        classes=len(CLASSES),
        train_samples=len(train),
        test_samples=len(test),
        majority=majority_share(splits[1].labels),
    )
    return Data(identity=identity, classes=CLASSES, train=splits[0], test=splits[1])


def crop(picture: Image.Image, box: tuple[int, int, int, int], path: Path) -> Image.Image:
    """Return `picture[ymin:ymax, xmin:xmax]`; like that slice, it ends where the picture ends.

    Raises:
        ResbenchError: nothing is left of the box.
    """
    xmin, ymin, xmax, ymax = box
    if xmin >= picture.width or ymin >= picture.height:
        size = f"{picture.width}x{picture.height}"
        raise ResbenchError(f"{path} has {size} pixels, which does not reach to its object at {box}")
    return picture.crop((xmin, ymin, min(xmax, picture.width), min(ymax, picture.height)))


def read_picture(path: Path) -> Image.Image:
    """Return a picture in RGB.

    Raises:
        ResbenchError: the file is missing, truncated or no picture.
    """
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ResbenchError(f"{path} cannot be decoded: {error}") from error


# A test pass meets the objects of one picture one after the other: keeping it spares half of the decoding.
@lru_cache(maxsize=1)
def _last_picture(path: Path) -> Image.Image:
    return read_picture(path)


def is_official(index: VocIndex) -> bool:
    """Return whether all forty published counts per class are met, exactly."""
    train, test = class_counts(index.train), class_counts(index.test)
    counts = {name: (train[name], test[name]) for name in CLASSES}
    return index.partition == VOC_07_12 and counts == COUNTS


def describe(index: VocIndex) -> str:
    """Return what a report may call these samples; parts and changes of the published set are called that."""
    name, published = index.partition.name, index.partition.pictures
    train, test = index.pictures
    if train + test < published:
        return f"{name}, a subset: {train:,} + {test:,} of {published:,} pictures"
    if train + test > published:
        return f"{name}, altered: {train:,} + {test:,} pictures where {published:,} were published"
    if index.partition == VOC_07_12 and not is_official(index):
        train, test = len(samples(index.train)), len(samples(index.test))
        return f"{name}, altered: {train:,} + {test:,} objects, other counts per class than published"
    return name


def _fingerprint(devkit: Path, train: tuple[VocObject, ...], test: tuple[VocObject, ...]) -> str:
    # Sizes stand for the contents: hashing 3 GB of pictures at each start would cost a minute.
    state = hashlib.sha256()
    sizes: dict[Path, int] = {}
    for part, objects in (("train", train), ("test", test)):
        for found in objects:
            path = picture_file(devkit, found.year, found.image)
            if path not in sizes:
                sizes[path] = path.stat().st_size
            row = (part, found.year, found.image, found.class_name, *found.box, sizes[path])
            state.update(("\t".join(map(str, row)) + "\n").encode())
    return state.hexdigest()
