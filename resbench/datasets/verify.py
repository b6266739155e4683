"""Whether a data set is whole: what is missing, what is short, what cannot be decoded."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from resbench.datasets.opening import check_name
from resbench.datasets.progress import Report, silent
from resbench.datasets.voc_annotation import VocObject, read_annotation
from resbench.datasets.voc_crops import crop, read_picture
from resbench.datasets.voc_index import class_counts, missing_files
from resbench.datasets.voc_layout import (
    VOC_07_12,
    List,
    annotation_file,
    find_devkit,
    list_file,
    picture_file,
    read_list,
)
from resbench.datasets.voc_published import COUNTS, PICTURES
from resbench.errors import ResbenchError

Objects = dict[Path, tuple[VocObject, ...]]
"""The objects of each picture, by its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many samples of one class were found in one part, and how many were published."""

    name: str
    train: int
    train_published: int
    test: int
    test_published: int

    @property
    def agrees(self) -> bool:
        """Whether both are as published."""
        return (self.train, self.test) == (self.train_published, self.test_published)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found of a data set.

    Attributes:
        name, folder: of the data set.
        counts: samples per class, of VOC; empty of the others.
        problems: what is missing or broken, one line each, files named.
        pictures: how many pictures were decoded.
    """

    name: str
    folder: str
    counts: tuple[Count, ...]
    problems: tuple[str, ...]
    pictures: int

    @property
    def holds(self) -> bool:
        """Whether the data set is the published one, whole."""
        return not self.problems and not self.differing

    @property
    def differing(self) -> tuple[Count, ...]:
        """The classes that have other counts than published."""
        return tuple(count for count in self.counts if not count.agrees)


def verify(name: str, root: Path, *, pictures: bool = True, progress: Report = silent) -> Verification:
    """Compare a data set with what was published of it.

    Args:
        name: `voc0712`, `cifar10`, `cifar100` or `imagenet`; of the last, folders and pictures are counted.
        root: the folder it lies in.
        pictures: whether each picture of VOC is decoded, which takes a minute or two.
        progress: told how far it is.

    Raises:
        UsageError: no such data set, or it is not in `root` at all.
    """
    check_name(name)
    if name == "imagenet":
        return _verify_imagenet(root, progress)
    if name.startswith("cifar"):
        return _verify_cifar(name, root, progress)
    return _verify_voc(root, pictures, progress)


def _verify_cifar(name: str, root: Path, progress: Report) -> Verification:
    from resbench.datasets.cifar import differences, find_cifar

    folder = find_cifar(root, name)
    problems = differences(folder, name, progress=progress)
    return Verification(name=name, folder=str(folder), counts=(), problems=problems, pictures=0)


def _verify_imagenet(root: Path, progress: Report) -> Verification:
    from resbench.datasets import imagenet
    from resbench.datasets.image_folder import open_image_folder

    folder = imagenet.find_imagenet(root)
    train, test = (
        open_image_folder(folder / part, progress=progress) for part in (imagenet.TRAIN, imagenet.TEST)
    )
    imagenet.check_same(folder, train.classes, test.classes)
    problems = imagenet.counts_differing(train, test)
    return Verification(name=imagenet.NAME, folder=str(folder), counts=(), problems=problems, pictures=0)


def _verify_voc(root: Path, pictures: bool, progress: Report) -> Verification:
    devkit = find_devkit(root)
    problems: list[str] = []
    train, test = (
        [_read_entry(devkit, entry, problems, progress) for entry in part]
        for part in (VOC_07_12.train, VOC_07_12.test)
    )
    counts = _count(train, test)
    decoded = 0
    if pictures:
        boxes = {path: found for part in (*train, *test) for path, found in part.items() if path.is_file()}
        problems += _decode(boxes, progress)
        decoded = len(boxes)
    return Verification(
        name="voc0712", folder=str(devkit), counts=counts, problems=tuple(problems), pictures=decoded
    )


def _read_entry(devkit: Path, entry: List, problems: list[str], progress: Report) -> Objects:
    """Return the objects of each picture of a list, as far as they can be read; add what can't to `problems`."""
    path = list_file(devkit, entry)
    if not path.is_file():
        problems.append(f"{path} is missing: VOC{entry[0]} {entry[1]} has {PICTURES[entry]:,} pictures")
        return {}
    try:
        images = read_list(devkit, entry)
    except ResbenchError as error:
        problems.append(str(error))
        return {}
    if len(images) != PICTURES[entry]:
        problems.append(f"{path} names {len(images):,} pictures, published are {PICTURES[entry]:,}")
    problems += missing_files(devkit, entry, images)
    objects: Objects = {}
    for done, image in enumerate(images, start=1):
        progress(f"reading VOC{entry[0]} {entry[1]}", done, len(images))
        objects[picture_file(devkit, entry[0], image)] = _read_one(devkit, entry, image, problems)
    return objects


def _read_one(devkit: Path, entry: List, image: str, problems: list[str]) -> tuple[VocObject, ...]:
    path = annotation_file(devkit, entry[0], image)
    if not path.is_file():
        return ()  # counted among the missing files
    try:
        return read_annotation(path, entry)
    except ResbenchError as error:
        problems.append(str(error))
        return ()


def _count(train: Sequence[Objects], test: Sequence[Objects]) -> tuple[Count, ...]:
    trained, tested = (
        class_counts([found for objects in part for group in objects.values() for found in group])
        for part in (train, test)
    )
    return tuple(
        Count(
            name=name,
            train=trained[name],
            train_published=published[0],
            test=tested[name],
            test_published=published[1],
        )
        for name, published in COUNTS.items()
    )


def _decode(boxes: Objects, progress: Report) -> list[str]:
    """Decode each picture, crop its objects, and return what went wrong."""
    broken = []
    # Decoding leaves Python's lock, so that threads share the work.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, problem in enumerate(pool.map(_check_picture, boxes, boxes.values()), start=1):
            progress("decoding pictures", done, len(boxes))
            if problem:
                broken.append(problem)
    return broken


def _check_picture(path: Path, objects: tuple[VocObject, ...]) -> str:
    try:
        picture = read_picture(path)
        for found in objects:
            crop(picture, found.box, path)
    except ResbenchError as error:
        return str(error)
    return ""
