"""The labelled pictures that weights are evaluated on, from one option: `KIND:PATH` or a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resbench.datasets.cifar import CIFARS
from resbench.datasets.data import Data, Split
from resbench.datasets.image_folder import class_folders, open_image_folder
from resbench.datasets.opening import open_data
from resbench.datasets.progress import Report, silent
from resbench.datasets.voc_crops import VocCrops
from resbench.datasets.voc_layout import YEARS
from resbench.errors import UsageError, unknown

KINDS: Final = {
    "imagefolder": "imagefolder",
    "voc": "voc0712",
    "voc0712": "voc0712",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
}
"""What may stand before the colon, and how the data set is called elsewhere."""

SAMPLE: Final = "sample"
"""In place of a folder: the drawn pictures that need no download."""

TESTED: Final = ("val", "validation", "test")
"""Parts of a folder of pictures that are tested on, the first that is there."""

TRAINED: Final = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Pictures to be classified, and what is right.

    Attributes:
        kind: `imagefolder`, `voc0712`, `cifar10` or `cifar100`.
        label: what outputs call them, with their part: "CIFAR-10, test".
        classes: names, in the order of the labels.
        split: the samples.
        pictures: for each sample the number of the picture it was cut from. Samples of one picture resemble each other,
            and count as one draw in an interval.
        train: samples to take statistics from, where there are any; never those that are tested on.
        fingerprint: differs when any sample does.
    """

    kind: str
    label: str
    classes: tuple[str, ...]
    split: Split
    pictures: tuple[int, ...]
    train: Split | None
    fingerprint: str

    def __len__(self) -> int:
        return len(self.split)


def open_labelled(text: str, *, progress: Report = silent) -> Labelled:
    """Return the pictures that an option names.

    Args:
        text: `KIND:PATH`; a folder whose kind can be told from what it holds; or `sample`.
        progress: told how far reading is.

    Raises:
        UsageError: the kind is unknown or can't be told, or the folder cannot be used.
    """
    kind, path = named_kind(text)
    if kind == "imagefolder" and path is not None:
        return _of_folder(path, progress)
    return _of_data(open_data(kind, path, progress=progress))


def named_kind(text: str) -> tuple[str, Path | None]:
    """Return the kind and the folder of a `KIND:PATH`, or of a folder that says what it is; no folder for the sample.

    Raises:
        UsageError: it does not, or the kind is none.
    """
    if text == SAMPLE:
        return "voc0712", None
    before, colon, after = text.partition(":")
    if colon and before in KINDS and after:
        return KINDS[before], Path(after).expanduser()
    path = Path(text).expanduser()
    if colon and not path.exists():
        raise unknown("kind of data", before, KINDS)
    if not path.is_dir():
        raise UsageError(f"no data: there is no folder {path}: give KIND:PATH, with {', '.join(KINDS)}")
    return recognised(path), path


def recognised(root: Path) -> str:
    """Return the kind of data that lies in a folder.

    Raises:
        UsageError: none that is known, or several.
    """
    found = []
    if any((folder / f"VOC{year}").is_dir() for folder in (root / "VOCdevkit", root) for year in YEARS):
        found.append("voc0712")
    found += [
        name for name, cifar in CIFARS.items() if root.name == cifar.folder or (root / cifar.folder).is_dir()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(f"{kind.removesuffix('0712')}:{root}" for kind in found)
        raise UsageError(f"{root} holds more than one data set: give {choices}")
    if class_folders(root):
        return "imagefolder"
    folders = " nor ".join(["VOCdevkit", *(cifar.folder for cifar in CIFARS.values())])
    raise UsageError(f"{root} holds no data that is known: neither {folders}, nor a folder for each class")


def _of_data(data: Data) -> Labelled:
    part = "test"
    return Labelled(
        kind=data.identity.kind.replace("voc_crops", "voc0712"),
        label=f"{data.identity.label}, {part}",
        classes=data.classes,
        split=data.test,
        pictures=pictures_of(data.test),
        train=data.train,
        fingerprint=data.identity.fingerprint,
    )


def _of_folder(root: Path, progress: Report) -> Labelled:
    folders = class_folders(root)
    parts = [part for part in TESTED if part in folders]
    # A class may be called "train" (VOC has one): only a folder with nothing but parts in it is one of parts.
    in_parts = bool(parts) and set(folders) <= {*TESTED, TRAINED}
    found = open_image_folder(root / parts[0] if in_parts else root, progress=progress)
    train = None
    if in_parts and TRAINED in folders:
        trained = open_image_folder(root / TRAINED, progress=progress)
        if trained.classes != found.classes:
            raise UsageError(f"{root / TRAINED} and {root / parts[0]} do not hold folders of the same names")
        train = trained.split
    return Labelled(
        kind="imagefolder",
        label=str(root / parts[0] if in_parts else root),
        classes=found.classes,
        split=found.split,
        pictures=pictures_of(found.split),
        train=train,
        fingerprint=found.fingerprint,
    )


def pictures_of(split: Split) -> tuple[int, ...]:
    """Return the number of the picture that each sample was cut from, counted from 0; other samples are whole pictures."""
    if not isinstance(split.load, VocCrops):
        return tuple(range(len(split)))
    numbers: dict[tuple[str, str], int] = {}
    keys = [(found.year, found.image) for found in split.load.objects]
    return tuple(numbers.setdefault(key, len(numbers)) for key in keys)
