"""The official archives of each data set: where they are, what their md5 must be, what they unpack to."""

from dataclasses import dataclass
from typing import Final

from resbench.datasets.cifar import CIFARS, reader_of

_CIFAR_SIZES_B: Final = {"cifar10": 170_498_071, "cifar100": 169_001_437}


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One archive.

    Attributes:
        url: where it is downloaded from.
        filename: what it is called on disk.
        md5: of the whole file, in hex.
        folder: what it unpacks into, below the folder it lies in.
        size_B: of the file, for the progress bar alone.
    """

    url: str
    filename: str
    md5: str
    folder: str
    size_B: int


def archives_of(name: str) -> tuple[Archive, ...]:
    """Return the archives of a data set, with the addresses and md5 that torchvision has; none of `imagenet` is free."""
    if name == "imagenet":
        return ()
    if name in CIFARS:
        return (_cifar(name),)
    return (
        _voc("2007", 460_032_000),
        _voc("2007-test", 451_020_800),
        _voc("2012", 1_999_639_040),
    )


def _voc(key: str, size_B: int) -> Archive:
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    entry = DATASET_YEAR_DICT[key]
    return Archive(
        url=entry["url"], filename=entry["filename"], md5=entry["md5"], folder="VOCdevkit", size_B=size_B
    )


def _cifar(name: str) -> Archive:
    reader = reader_of(name)
    return Archive(
        url=reader.url,
        filename=reader.filename,
        md5=reader.tgz_md5,
        folder=reader.base_folder,
        size_B=_CIFAR_SIZES_B[name],
    )
