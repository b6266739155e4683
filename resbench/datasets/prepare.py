"""Preparing a data set: its official archives downloaded, verified and unpacked; what is done already is not repeated."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

from resbench.datasets import imagenet
from resbench.datasets.archives import Archive, archives_of
from resbench.datasets.download import UnreachableError, fetch
from resbench.datasets.opening import check_name
from resbench.datasets.progress import Report, silent
from resbench.datasets.unpacking import is_unpacked, unpack
from resbench.errors import ResbenchError, UsageError


def prepare(
    name: str, root: Path, *, archives: Sequence[Archive] | None = None, progress: Report = silent
) -> tuple[Path, ...]:
    """Download, verify and unpack the archives of a data set into `root`.

    Args:
        name: `voc0712`, `cifar10` or `cifar100`; `imagenet` can't be downloaded.
        root: the folder to put it in; made if it is not there. Archives stay there, and may be deleted afterwards.
        archives: in place of the official ones.
        progress: told how far downloading and unpacking are.

    Returns:
        The folders that hold the data.

    Raises:
        UsageError: no such data set, none that can be downloaded, or `root` cannot be written to.
        ResbenchError: no network (the message says which file to put where), an archive that is torn or tampered
            with, a full disk.
    """
    check_name(name)
    if name == imagenet.NAME:
        raise UsageError(imagenet.BY_HAND.format(root=root))
    wanted = tuple(archives_of(name) if archives is None else archives)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {root}: {error.strerror}") from error
    for archive in wanted:
        if not is_unpacked(archive, root):
            _prepare_one(archive, wanted, root, progress)
    return tuple(dict.fromkeys(root / archive.folder for archive in wanted))


def _prepare_one(archive: Archive, wanted: Sequence[Archive], root: Path, progress: Report) -> None:
    try:
        unpack(fetch(archive, root, progress=progress), archive, root, progress=progress)
    except UnreachableError as error:
        raise ResbenchError(_by_hand(error, wanted, root)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free_GB = shutil.disk_usage(root).free / 10**9
            raise ResbenchError(
                f"the disk is full: {archive.filename} needs more than the {free_GB:.2f} GB left in {root}: make room "
                "and run the command again; what is finished is kept"
            ) from error
        raise UsageError(f"cannot prepare {archive.filename} in {root}: {error}") from error


def _by_hand(error: UnreachableError, wanted: Sequence[Archive], root: Path) -> str:
    """Return what to do without a network: every archive that is still needed, and where to put it."""
    lacking = [
        archive
        for archive in wanted
        if not is_unpacked(archive, root) and not (root / archive.filename).is_file()
    ]
    steps = "; ".join(
        f"{archive.url} and put it at {(root / archive.filename).resolve()}" for archive in lacking
    )
    return f"cannot download ({error}): get by hand, then run the command again: {steps}"
