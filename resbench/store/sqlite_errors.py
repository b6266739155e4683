"""What SQLite says when it fails, as one line that says what to do."""

import sqlite3
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from resbench.errors import ResbenchError, UsageError

INSTEAD = "choose another --store"


class Doing(StrEnum):
    """What was being done with the store."""

    OPENING = "opened"
    READING = "read"
    WRITING = "written"


def explained(path: Path, error: sa.exc.DBAPIError | sqlite3.Error, doing: Doing) -> ResbenchError:
    """Return the error to raise for one of SQLite's, which it tells apart by their text alone."""
    text = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
    if "not a database" in text:
        return UsageError(f"store {path} is not an SQLite database: {INSTEAD}")
    if "malformed" in text:
        return UsageError(f"store {path} is damaged ({text}): restore a copy of it, or {INSTEAD}")
    if "unable to open" in text or "readonly" in text:
        return UsageError(f"store {path} cannot be {doing} ({text}): {INSTEAD}")
    if "locked" in text:
        return ResbenchError(
            f"store {path} is in use by another process: wait for it to end and run the same command again"
        )
    return ResbenchError(
        f"store {path} could not be {doing} ({text}): check the disk and run the same command again; "
        "what was saved before is kept"
    )
