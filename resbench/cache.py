"""The user's cache folder, and files in it that are written whole or not at all. No torch."""

import json
import os
import tempfile
from pathlib import Path

from resbench.errors import UsageError


def cache_folder() -> Path:
    """Return the user's cache folder: `RESBENCH_CACHE`, else that of the XDG standard."""
    if named := os.environ.get("RESBENCH_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "resbench"


def keep(file: Path, data: object, what: str) -> Path:
    """Write plain data as JSON and return the file.

    Args:
        file: in a folder that may not exist yet.
        data: that JSON can hold.
        what: is kept, for the error: "the noise floor".

    Raises:
        UsageError: the folder can't be written to.
    """
    folder = file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written beside it and renamed: another process sees the old file or the new one, never half of one.
        handle, name = tempfile.mkstemp(dir=folder, prefix=file.stem, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(data, stream, indent=1)
        Path(name).replace(file)
    except OSError as error:
        raise UsageError(
            f"cannot keep {what} in {folder}: {error}: set RESBENCH_CACHE to a folder that can be written to"
        ) from error
    return file
