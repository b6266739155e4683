"""What goes wrong, as one clear line: what is wrong, what was found, what to do."""

import difflib
from collections.abc import Iterable


class ResbenchError(Exception):
    """A failure while running, told in one line. The command exits with 1."""

    exit_code = 1


class UsageError(ResbenchError):
    """Something the user gave cannot be used: an argument, a folder, a file. The command exits with 2."""

    exit_code = 2


class Stopped(ResbenchError):  # noqa: N818 - being stopped is not an error of the program
    """The user (Ctrl-C) or the system (SIGTERM) asked for an end; what was finished is stored."""

    exit_code = 130


def unknown(kind: str, found: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist, with the nearest names that do.

    Args:
        kind: what was named, in the singular: "model", "suite".
        found: the name as given.
        known: every name that would have been accepted.
    """
    names = sorted(known)
    near = difflib.get_close_matches(found.lower(), names, n=3, cutoff=0.5)
    if near:
        return UsageError(f"unknown {kind} '{found}': did you mean {' or '.join(near)}?")
    return UsageError(f"unknown {kind} '{found}': choose from {', '.join(names)}")
