"""CIFAR-10 from its seven published files, read by torchvision."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from resbench.datasets.data import Data, Split, majority_share
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.results import digest
from resbench.specs import DataIdentity

FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarPictures:
    """Loads the 32x32 RGB pictures of one part; each process reads the files at its first picture."""

    root: Path
    train: bool

    def __call__(self, index: int) -> Image.Image:
        """Return one picture."""
        return Image.fromarray(_part(self.root, train=self.train).data[index])


def open_cifar(root: Path, *, progress: Report = silent) -> Data:
    """Return CIFAR-10.

    Args:
        root: the folder that holds `cifar-10-batches-py`, or that folder itself.
        progress: told how many files are checked.

    Raises:
        UsageError: a file is missing, or is not the published one: unpacking it could run any code it holds.
    """
    root = find_cifar(root)
    wrong = differences(root, progress=progress)
    if wrong:
        raise UsageError(f"{wrong[0]}: run `resbench data prepare cifar10 --data {root}`")
    train, test = (
        Split(labels=tuple(_part(root, train=part).targets), load=CifarPictures(root=root, train=part))
        for part in (True, False)
    )
    classes = tuple(_part(root, train=True).classes)
    identity = DataIdentity(
        kind="cifar10",
        label="CIFAR-10",
        official=True,
        fingerprint=digest(sorted(published_files().items())),
        classes=len(classes),
        train_samples=len(train),
        test_samples=len(test),
        majority=majority_share(test.labels),
    )
    return Data(identity=identity, classes=classes, train=train, test=test)


def find_cifar(root: Path) -> Path:
    """Return the folder that holds `cifar-10-batches-py`: `root`, or the one above it.

    Raises:
        UsageError: neither does.
    """
    folder = root.parent if root.name == FOLDER else root
    if not (folder / FOLDER).is_dir():
        raise UsageError(
            f"no CIFAR-10 in {root}: it has no folder {FOLDER}: run `resbench data prepare cifar10 --data {root}`"
        )
    return folder


def published_files() -> dict[str, str]:
    """Return the md5 of each of the seven files, by name, as torchvision has them."""
    from torchvision.datasets import CIFAR10

    listed = [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]
    return {str(name): str(md5) for name, md5 in listed}


def differences(root: Path, *, progress: Report = silent) -> tuple[str, ...]:
    """Return one line for each file that is missing or not the published one."""
    from torchvision.datasets.utils import calculate_md5

    lines = []
    expected = published_files()
    for done, (name, md5) in enumerate(expected.items()):
        progress("checking files", done, len(expected))
        path = root / FOLDER / name
        try:
            found = calculate_md5(path)
        except OSError as error:
            lines.append(f"{path} is missing or cannot be read ({error.strerror})")
            continue
        if found != md5:
            lines.append(f"{path} is torn or not the published file: its md5 is {found}, expected {md5}")
    return tuple(lines)


# Both parts of one folder: 180 MB of pixels in all.
@lru_cache(maxsize=2)
def _part(root: Path, *, train: bool) -> Any:
    from torchvision.datasets import CIFAR10

    return CIFAR10(str(root), train=train, download=False)
