"""How a VOCdevkit lies on disk, and which of its lists train and which test."""

from dataclasses import dataclass
from pathlib import Path

from resbench.datasets.voc_published import PICTURES
from resbench.errors import UsageError

List = tuple[str, str]
"""A year and a split: ("2007", "trainval") is VOC2007/ImageSets/Main/trainval.txt."""

YEARS = ("2007", "2012")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One way to train and test on VOC.

    Attributes:
        name: what a report calls it.
        pictures: how many pictures it has when it is whole.
    """

    name: str
    train: tuple[List, ...]
    test: tuple[List, ...]
    pictures: int


VOC_07_12 = Partition(
    name="VOC 07+12",
    train=(("2007", "trainval"), ("2012", "trainval")),
    test=(("2007", "test"),),
    pictures=sum(PICTURES.values()),
)

PARTITIONS = {
    ("2007", "2012"): VOC_07_12,
    ("2007",): Partition(
        name="VOC2007 trainval / test",
        train=(("2007", "trainval"),),
        test=(("2007", "test"),),
        pictures=PICTURES["2007", "trainval"] + PICTURES["2007", "test"],
    ),
    ("2012",): Partition(
        name="VOC2012 train / val",
        train=(("2012", "train"),),
        test=(("2012", "val"),),
        pictures=PICTURES["2012", "trainval"],
    ),
}
"""By the years that are present."""


def find_devkit(root: Path) -> Path:
    """Return the VOCdevkit folder: `root/VOCdevkit`, or `root` itself.

    Raises:
        UsageError: neither is one.
    """
    for folder in (root / "VOCdevkit", root):
        if any((folder / f"VOC{year}").is_dir() for year in YEARS):
            return folder
    hint = "run `resbench data prepare voc0712`, or give the folder that holds VOCdevkit"
    if not root.is_dir():
        raise UsageError(f"no data: there is no folder {root}: {hint}")
    if (root / "Annotations").is_dir():
        hint = f"give the VOCdevkit above it: {root.parent}"
    found = sorted(path.name for path in root.iterdir())
    raise UsageError(f"no VOC in {root}: it holds neither VOC2007 nor VOC2012, but {_some(found)}: {hint}")


def choose_partition(devkit: Path) -> Partition:
    """Return how to train and test on what is present.

    Raises:
        UsageError: a list of pictures that the years present need is missing.
    """
    years = tuple(year for year in YEARS if (devkit / f"VOC{year}").is_dir())
    partition = PARTITIONS[years]
    missing = [entry for entry in partition.train + partition.test if not list_file(devkit, entry).is_file()]
    if missing:
        found = [f"VOC{year} {split}" for year, split in present_lists(devkit)]
        names = ", ".join(str(list_file(devkit, entry).relative_to(devkit)) for entry in missing)
        raise UsageError(
            f"{devkit} cannot be trained and tested on: {names} is missing (found: {_some(found)}). Needed: VOC2007 "
            "trainval + test, with or without VOC2012 trainval; or VOC2012 train + val alone"
        )
    return partition


def present_lists(devkit: Path) -> list[List]:
    """Return the lists of pictures that are there."""
    entries = [(year, split) for year in YEARS for split in ("train", "val", "trainval", "test")]
    return [entry for entry in entries if list_file(devkit, entry).is_file()]


def list_file(devkit: Path, entry: List) -> Path:
    """Return where the list of pictures of a year's split lies."""
    year, split = entry
    return devkit / f"VOC{year}" / "ImageSets" / "Main" / f"{split}.txt"


def read_list(devkit: Path, entry: List) -> tuple[str, ...]:
    """Return the names of the pictures in a list, in its order.

    Raises:
        UsageError: the list cannot be read, is empty, or names a picture twice.
    """
    path = list_file(devkit, entry)
    try:
        names = tuple(line.split()[0] for line in path.read_text("utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a list of pictures: {error}") from error
    if not names:
        raise UsageError(f"{path} is empty: it should name one picture a line")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{path} names {twice} more than once")
    return names


def annotation_file(devkit: Path, year: str, image: str) -> Path:
    """Return where the XML of a picture lies."""
    return devkit / f"VOC{year}" / "Annotations" / f"{image}.xml"


def picture_file(devkit: Path, year: str, image: str) -> Path:
    """Return where a picture lies."""
    return devkit / f"VOC{year}" / "JPEGImages" / f"{image}.jpg"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4]) or "nothing"
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
