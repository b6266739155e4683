"""Unpacking one archive safely, and knowing that it was finished."""

import tarfile
import zlib
from pathlib import Path

from resbench.datasets.archives import Archive
from resbench.datasets.progress import Report, silent
from resbench.errors import ResbenchError


def is_unpacked(archive: Archive, root: Path) -> bool:
    """Return whether this archive was unpacked to its end into `root`."""
    path = _mark(archive, root)
    return path.is_file() and path.read_text("utf-8").strip() == archive.md5


def unpack(path: Path, archive: Archive, root: Path, *, progress: Report = silent) -> None:
    """Unpack a verified archive into `root`, and mark that as finished in the folder it unpacks into.

    Deleting that folder deletes the mark; an interrupted unpacking has none and is repeated from its start.

    Raises:
        ResbenchError: the archive is no tar file, or has a member that would land outside of `root`.
        OSError: a file cannot be written; the disk is full.
    """
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:*") as tar:
            for member in tar:
                tar.extract(member, root, filter="data")
                progress(f"unpacking {archive.filename}", file.tell(), path.stat().st_size)
    except tarfile.FilterError as error:
        raise ResbenchError(f"{path} is refused: {error}: do not use this file") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ResbenchError(
            f"{path} cannot be unpacked: {error}: delete it and run the command again"
        ) from error
    if not (root / archive.folder).is_dir():
        raise ResbenchError(f"{path} holds no folder {archive.folder}: it is not the archive it should be")
    _mark(archive, root).write_text(archive.md5 + "\n", "utf-8")


def _mark(archive: Archive, root: Path) -> Path:
    return root / archive.folder / f".unpacked-{archive.filename}"
