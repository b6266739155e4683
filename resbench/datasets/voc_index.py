"""The objects of a VOCdevkit, read from its lists and XML."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resbench.datasets.progress import Report, silent
from resbench.datasets.voc_annotation import VocObject, read_annotation
from resbench.datasets.voc_layout import (
    List,
    Partition,
    annotation_file,
    choose_partition,
    find_devkit,
    picture_file,
    read_list,
)
from resbench.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class VocIndex:
    """Every object of a VOCdevkit, difficult ones included, in the order of its lists and XML.

    Attributes:
        devkit: the VOCdevkit folder.
        partition: which lists train and which test.
        pictures: how many pictures the training and the test lists name.
    """

    devkit: Path
    partition: Partition
    train: tuple[VocObject, ...]
    test: tuple[VocObject, ...]
    pictures: tuple[int, int]


def read_index(root: Path, *, progress: Report = silent) -> VocIndex:
    """Return the index of the VOCdevkit in (or at) `root`.

    Raises:
        UsageError: no VOCdevkit, a list, picture or XML is missing, or an XML can't be used; the message names it.
    """
    devkit = find_devkit(root)
    partition = choose_partition(devkit)
    lists = {entry: read_list(devkit, entry) for entry in partition.train + partition.test}
    _check_apart(partition, lists)
    for entry, images in lists.items():
        for missing in missing_files(devkit, entry, images):
            raise UsageError(f"{missing}: run `resbench data verify voc0712` to see all that is missing")
    objects = _read_objects(devkit, lists, progress)
    parts = (partition.train, partition.test)
    train, test = (tuple(found for entry in part for found in objects[entry]) for part in parts)
    trained, tested = (sum(len(lists[entry]) for entry in part) for part in parts)
    return VocIndex(devkit=devkit, partition=partition, train=train, test=test, pictures=(trained, tested))


def _read_objects(
    devkit: Path, lists: dict[List, tuple[str, ...]], progress: Report
) -> dict[List, list[VocObject]]:
    objects: dict[List, list[VocObject]] = {entry: [] for entry in lists}
    total = sum(map(len, lists.values()))
    done = 0
    for entry, images in lists.items():
        for image in images:
            objects[entry] += read_annotation(annotation_file(devkit, entry[0], image), entry)
            done += 1
            progress("reading annotations", done, total)
    return objects


def samples(objects: Sequence[VocObject]) -> tuple[VocObject, ...]:
    """Return the objects that the protocol trains and tests on: those that are not difficult."""
    return tuple(found for found in objects if not found.difficult)


def class_counts(objects: Sequence[VocObject]) -> Counter[str]:
    """Return how many samples each class has."""
    return Counter(found.class_name for found in samples(objects))


def missing_files(devkit: Path, entry: List, images: Sequence[str]) -> tuple[str, ...]:
    """Return one line for each kind of file that a list names and the folder lacks: how many, and the first few."""
    lines = []
    for kind, locate in (("annotation", annotation_file), ("picture", picture_file)):
        folder = locate(devkit, entry[0], images[0]).parent
        present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        paths = (locate(devkit, entry[0], image) for image in images)
        absent = [path.name for path in paths if path.name not in present]
        if absent:
            first = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
            lines.append(
                f"VOC{entry[0]} {entry[1]}: {len(absent):,} of {len(images):,} {kind}s are missing in {folder}: {first}"
            )
    return tuple(lines)


def _check_apart(partition: Partition, lists: dict[List, tuple[str, ...]]) -> None:
    trained = {(entry[0], image) for entry in partition.train for image in lists[entry]}
    tested = {(entry[0], image) for entry in partition.test for image in lists[entry]}
    both = sorted(image for _, image in trained & tested)
    if both:
        raise UsageError(
            f"the training and the test lists have pictures in common, {len(both):,} in all ({', '.join(both[:3])}): "
            "what was trained on must not be tested on"
        )
