"""Opening a data set by its name."""

from pathlib import Path
from typing import Final

from resbench.datasets.data import Data
from resbench.datasets.progress import Report, silent
from resbench.errors import unknown

NAMES: Final = ("voc0712", "cifar10", "cifar100", "imagenet")


def open_data(name: str, root: Path | None, *, progress: Report | None = None) -> Data:
    """Return a data set.

    Args:
        name: one of `NAMES`; `imagenet` is any FOLDER/train/CLASS/* and FOLDER/val/CLASS/*.
        root: the folder it lies in; None: the built-in sample.
        progress: told how far reading (or drawing the sample) is.

    Raises:
        UsageError: there is no such data set, or the folder cannot be used.
    """
    check_name(name)
    if name == "imagenet":
        return _open_folders(root, progress or silent)
    if name.startswith("cifar"):
        return _open_cifar(name, root, progress or silent)
    return _open_voc(root, progress or silent)


def check_name(name: str) -> None:
    """Refuse a name that is no data set.

    Raises:
        UsageError: with the nearest names.
    """
    if name not in NAMES:
        raise unknown("data set", name, NAMES)


def _open_cifar(name: str, root: Path | None, progress: Report) -> Data:
    if root is None:
        from resbench.datasets.sample_cifar import open_cifar_sample

        return open_cifar_sample(name)
    from resbench.datasets.cifar import open_cifar

    return open_cifar(root, name, progress=progress)


def _open_folders(root: Path | None, progress: Report) -> Data:
    from resbench.datasets.imagenet import find_imagenet, open_imagenet
    from resbench.datasets.sample_cache import ensure_folders, is_sample
    from resbench.datasets.sample_folder import LABEL

    if root is None:
        root = ensure_folders(progress=progress)
    # A copy of the sample is still no ImageNet.
    label = LABEL if is_sample(find_imagenet(root)) else ""
    return open_imagenet(root, label=label, progress=progress)


def _open_voc(root: Path | None, progress: Report) -> Data:
    from resbench.datasets.sample import LABEL
    from resbench.datasets.sample_cache import ensure_sample, is_sample
    from resbench.datasets.voc_crops import open_voc
    from resbench.datasets.voc_layout import find_devkit

    if root is None:
        root = ensure_sample(progress=progress)
    # A copy of the sample is still no PASCAL VOC.
    label = LABEL if is_sample(find_devkit(root)) else ""
    return open_voc(root, label=label, progress=progress)
