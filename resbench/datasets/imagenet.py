"""ImageNet (ILSVRC 2012), or any two folders of pictures laid out as it is: FOLDER/train/CLASS/*, FOLDER/val/CLASS/*."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

from resbench.datasets.data import Data, majority_share
from resbench.datasets.image_folder import ImageFolder, class_folders, open_image_folder
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.results import digest
from resbench.specs import DataIdentity, Source

NAME: Final = "imagenet"
TRAIN, TEST = "train", "val"

SOURCE: Final = Source(
    title="Russakovsky et al.: ImageNet Large Scale Visual Recognition Challenge (IJCV 2015)",
    where="Table 2, image classification, 2012: 1,281,167 training and 50,000 validation pictures of 1,000 classes",
    url="https://arxiv.org/abs/1409.0575",
)
CLASSES, TRAINING, VALIDATION = 1_000, 1_281_167, 50_000
"""What `SOURCE` says."""

_WORDNET: Final = re.compile(r"n\d{8}")

BY_HAND: Final = (
    "ImageNet can't be downloaded without an account at https://image-net.org: get ILSVRC2012_img_train.tar and "
    "ILSVRC2012_img_val.tar there, and unpack them to {root}/train/n01440764/*.JPEG and {root}/val/n01440764/*.JPEG, a "
    "folder for each of the 1,000 classes"
)


def open_imagenet(root: Path, *, label: str = "", progress: Report = silent) -> Data:
    """Return the pictures to train on and to test on; those of `val` are the test, as in the published tables.

    Args:
        root: the folder that holds `train` and `val`, or one that holds such a folder by the name `imagenet`.
        label: what reports call it, where it is no photographs.
        progress: told how many classes are read.

    Raises:
        UsageError: a part is missing or holds no pictures, or the two have other classes.
    """
    folder = find_imagenet(root)
    train, test = (open_image_folder(folder / part, progress=progress) for part in (TRAIN, TEST))
    check_same(folder, train.classes, test.classes)
    official = not label and not counts_differing(train, test)
    identity = DataIdentity(
        kind=NAME,
        label=label or ("ImageNet" if official else f"pictures in {len(train.classes):,} folders"),
        official=official,
        fingerprint=digest([train.fingerprint, test.fingerprint]),
        classes=len(train.classes),
        train_samples=len(train.split),
        test_samples=len(test.split),
        majority=majority_share(test.split.labels),
    )
    return Data(identity=identity, classes=train.classes, train=train.split, test=test.split)


def find_imagenet(root: Path) -> Path:
    """Return the folder that holds `train` and `val`: `root`, or `root/imagenet`.

    Raises:
        UsageError: neither does.
    """
    for folder in (root / NAME, root):
        if all((folder / part).is_dir() for part in (TRAIN, TEST)):
            return folder
    found = ", ".join(class_folders(root)[:4]) or "no folder"
    raise UsageError(
        f"no pictures to train on and to test on in {root}: it needs the folders train and val, each with a folder of "
        f"pictures for each class, and holds {found}"
    )


def check_same(folder: Path, train: tuple[str, ...], test: tuple[str, ...]) -> None:
    """Refuse two parts with other classes.

    Raises:
        UsageError: with the first that one part alone has.
    """
    if alone := sorted(set(train) ^ set(test)):
        part, other = (TRAIN, TEST) if alone[0] in train else (TEST, TRAIN)
        raise UsageError(
            f"{folder / part} has the class {alone[0]}, which {folder / other} has not: both need the same folders "
            f"({len(alone):,} differ)"
        )


def counts_differing(train: ImageFolder, test: ImageFolder) -> tuple[str, ...]:
    """Return what has other numbers than published, one line each; the contents of the pictures are not looked at."""
    named = sum(bool(_WORDNET.fullmatch(name)) for name in train.classes)
    each = VALIDATION // CLASSES
    uneven = sum(count != each for count in Counter(test.split.labels).values())
    checks = (
        (named, CLASSES, "folders are named as WordNet's nouns, published are"),
        (len(train.split), TRAINING, "training pictures, published are"),
        (len(test.split), VALIDATION, "validation pictures, published are"),
        (uneven, 0, f"classes have other than {each} validation pictures, published are"),
    )
    return tuple(f"{found:,} {what} {published:,}" for found, published, what in checks if found != published)
