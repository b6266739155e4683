"""Files that are written whole or not at all."""

import errno
import os
from pathlib import Path

from resbench.errors import ResbenchError, UsageError


def write_atomically(path: Path, content: bytes, what: str) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new and nothing between.

    Args:
        path: of the file; its folder is made where it is missing.
        content: all of it.
        what: names the file's kind in an error: "the report".

    Raises:
        UsageError: the path can't be written: a folder, no permission, a file where a folder should be.
        ResbenchError: the disk is full, or failed.
    """
    target = path.resolve()
    if target.is_dir():
        raise UsageError(f"cannot write {what} to {path}: it is a folder; name a file in it")
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        if target.parent.is_dir():
            beside.unlink(missing_ok=True)
        raise unwritable(path, error, what) from error


def unwritable(path: Path, error: OSError, what: str) -> ResbenchError:
    """Return the one line for a file that could not be written."""
    reason = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return ResbenchError(
            f"could not write {what} to {path}: {reason}; free some space and run the same command again"
        )
    return UsageError(f"cannot write {what} to {path}: {reason}; name a place you may write to")
