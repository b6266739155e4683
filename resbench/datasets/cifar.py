"""CIFAR-10 and CIFAR-100 (its fine labels) from their published files, read by torchvision."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from resbench.datasets.data import Data, Split, majority_share
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.results import digest
from resbench.specs import DataIdentity


class Cifar(NamedTuple):
    """One of the two data sets: what it is called, the folder of its files, and torchvision's class that reads them."""

    label: str
    folder: str
    reader: str


CIFARS: Final = {
    "cifar10": Cifar("CIFAR-10", "cifar-10-batches-py", "CIFAR10"),
    "cifar100": Cifar("CIFAR-100", "cifar-100-python", "CIFAR100"),
}
"""By the name of the data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarPictures:
    """Loads the 32x32 RGB pictures of one part; each process reads the files at its first picture."""

    root: Path
    train: bool
    name: str = "cifar10"

    def __call__(self, index: int) -> Image.Image:
        """Return one picture."""
        return Image.fromarray(_part(self.root, self.name, train=self.train).data[index])


def open_cifar(root: Path, name: str = "cifar10", *, progress: Report = silent) -> Data:
    """Return CIFAR-10, or CIFAR-100 with its 100 fine labels.

    Args:
        root: the folder that holds `cifar-10-batches-py` or `cifar-100-python`, or that folder itself.
        name: `cifar10` or `cifar100`.
        progress: told how many files are checked.

    Raises:
        UsageError: a file is missing, or is not the published one: unpacking it could run any code it holds.
    """
    root = find_cifar(root, name)
    wrong = differences(root, name, progress=progress)
    if wrong:
        raise UsageError(f"{wrong[0]}: run `resbench data prepare {name} --data {root}`")
    train, test = (
        Split(
            labels=tuple(_part(root, name, train=part).targets),
            load=CifarPictures(root=root, train=part, name=name),
        )
        for part in (True, False)
    )
    classes = tuple(_part(root, name, train=True).classes)
    identity = DataIdentity(
        kind=name,
        label=CIFARS[name].label,
        official=True,
        fingerprint=digest(sorted(published_files(name).items())),
        classes=len(classes),
        train_samples=len(train),
        test_samples=len(test),
        majority=majority_share(test.labels),
    )
    return Data(identity=identity, classes=classes, train=train, test=test)


def find_cifar(root: Path, name: str = "cifar10") -> Path:
    """Return the folder that holds the data set's own folder: `root`, or the one above it.

    Raises:
        UsageError: neither does.
    """
    label, inner, _ = CIFARS[name]
    folder = root.parent if root.name == inner else root
    if not (folder / inner).is_dir():
        raise UsageError(
            f"no {label} in {root}: it has no folder {inner}: run `resbench data prepare {name} --data {root}`"
        )
    return folder


def published_files(name: str = "cifar10") -> dict[str, str]:
    """Return the md5 of each file that is read (CIFAR-10 has seven, CIFAR-100 three), by name, as torchvision has them."""
    reader = reader_of(name)
    listed = [*reader.train_list, *reader.test_list, (reader.meta["filename"], reader.meta["md5"])]
    return {str(file): str(md5) for file, md5 in listed}


def differences(root: Path, name: str = "cifar10", *, progress: Report = silent) -> tuple[str, ...]:
    """Return one line for each file that is missing or not the published one."""
    from torchvision.datasets.utils import calculate_md5

    lines = []
    expected = published_files(name)
    for done, (file, md5) in enumerate(expected.items()):
        progress("checking files", done, len(expected))
        path = root / CIFARS[name].folder / file
        try:
            found = calculate_md5(path)
        except OSError as error:
            lines.append(f"{path} is missing or cannot be read ({error.strerror})")
            continue
        if found != md5:
            lines.append(f"{path} is torn or not the published file: its md5 is {found}, expected {md5}")
    return tuple(lines)


# Both parts of both data sets: 360 MB of pixels in all.
@lru_cache(maxsize=4)
def _part(root: Path, name: str, *, train: bool) -> Any:
    return reader_of(name)(str(root), train=train, download=False)


def reader_of(name: str) -> Any:
    """Return torchvision's class that reads the data set."""
    import torchvision.datasets

    return getattr(torchvision.datasets, CIFARS[name].reader)
