"""Inductor's cache on disk, empty for as long as something is measured: what was compiled before is no compile time."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VARIABLE: Final = "TORCHINDUCTOR_CACHE_DIR"
"""Inductor reads it whenever it needs its folder; child processes inherit it."""

_PREFIX: Final = "resbench-inductor-"


@contextlib.contextmanager
def fresh_cache() -> Iterator[Path]:
    """Give Inductor, in this process and in those that it starts, an empty folder, which is deleted at the end.

    Inside another such block the folder lies in that one's: a process that is killed leaves nothing behind.
    """
    before = os.environ.get(VARIABLE)
    outer = before if before and Path(before).name.startswith(_PREFIX) else None
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=outer, ignore_cleanup_errors=True) as folder:
        os.environ[VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                os.environ.pop(VARIABLE, None)
            else:
                os.environ[VARIABLE] = before
