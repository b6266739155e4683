"""Getting one archive onto the disk, whole and as published, or saying what is wrong with it."""

import errno
import http
import http.client
import io
import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path

from resbench.datasets.archives import Archive
from resbench.datasets.progress import Report, silent
from resbench.errors import ResbenchError

STALLED_s = 60.0
"""How long a server may send nothing before the download is given up."""


class UnreachableError(ResbenchError):
    """An archive could not be downloaded: there is no network, or the server does not have it."""


def fetch(archive: Archive, root: Path, *, progress: Report = silent) -> Path:
    """Return the verified archive in `root`, downloaded first where it is not there.

    It is downloaded under the name `*.part`, so that an archive under its own name was either verified or placed there by
    hand; either way its md5 is checked here. A part that an interruption left is continued where the server can do that.

    Raises:
        UnreachableError: it could not be downloaded.
        ResbenchError: it is torn or tampered with.
        OSError: it cannot be read or written; the disk is full.
    """
    path = root / archive.filename
    if path.is_file():
        check_md5(path, archive, progress=progress)
        return path
    part = path.with_name(path.name + ".part")
    _download(archive, part, progress)
    found = _md5(part)
    if found != archive.md5:
        size_B = part.stat().st_size
        if size_B < archive.size_B:
            raise ResbenchError(
                f"the download of {archive.url} broke off after {size_B:,} of {archive.size_B:,} bytes: "
                "run the command again, and it goes on from there"
            )
        part.unlink()
        raise ResbenchError(
            f"the download of {archive.url} came torn or changed: {size_B:,} bytes with md5 {found}, "
            f"expected {archive.md5}: run the command again"
        )
    part.rename(path)
    return path


def check_md5(path: Path, archive: Archive, *, progress: Report = silent) -> None:
    """Check an archive that lies on the disk.

    Raises:
        ResbenchError: its md5 is not the published one.
    """
    progress(f"checking {archive.filename}", 0, 1)
    found = _md5(path)
    progress(f"checking {archive.filename}", 1, 1)
    if found != archive.md5:
        raise ResbenchError(
            f"{path} is torn or not the published file: its md5 is {found}, expected {archive.md5}: "
            "delete it and run the command again"
        )


def _md5(path: Path) -> str:
    from torchvision.datasets.utils import calculate_md5

    return str(calculate_md5(path))


def _download(archive: Archive, part: Path, progress: Report) -> None:
    from torchvision.datasets.utils import download_url

    try:
        with _watched(archive, part, progress), _quick_to_give_up():
            if part.is_file():
                _continue(archive, part)
            # Takes a part that is whole by its md5 as it is, and starts anew with any other.
            if not _is_short(archive, part):
                download_url(archive.url, part.parent, filename=part.name, md5=archive.md5)
    except (OSError, http.client.HTTPException) as error:
        # Errors of the network are OSErrors, too; only these are of the disk while a file is written.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
            raise
        reason = str(error).removeprefix("<urlopen error ").removesuffix(">")
        raise UnreachableError(reason or type(error).__name__) from error
    except RuntimeError:
        # torchvision's word for a wrong md5, without saying which: the caller looks at the file.
        if not part.is_file():
            raise


def _is_short(archive: Archive, part: Path) -> bool:
    return part.is_file() and part.stat().st_size < archive.size_B


def _continue(archive: Archive, part: Path) -> None:
    """Add to a part what it lacks; a server that can't serve a range sends the whole, which replaces it."""
    had_B = part.stat().st_size
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={had_B}-"})  # noqa: S310 - ours
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310 - the address is torchvision's
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # there is nothing beyond what we have
        raise
    with answer, part.open("ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file:
        shutil.copyfileobj(answer, file)


@contextmanager
def _watched(archive: Archive, part: Path, progress: Report) -> Iterator[None]:
    """Report how much of a file is there while torchvision writes it, in place of torchvision's own bar."""
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(0.2):
            with suppress(FileNotFoundError):
                progress(f"downloading {archive.filename}", part.stat().st_size, archive.size_B)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        finished.set()
        watcher.join()


@contextmanager
def _quick_to_give_up() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_s)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
