"""Which suite a text stands for: a catalogued one, or a file of the user's own."""

from pathlib import Path

from resbench.catalog import find
from resbench.specs import Suite

SUFFIXES = (".toml", ".py")


def is_file(text: str) -> bool:
    """Whether a text names a suite's file and no catalogued suite."""
    return text.endswith(SUFFIXES) or "/" in text


def find_suite(text: str) -> Suite:
    """Return the suite of that name, or the one that a TOML or Python file describes.

    Raises:
        UsageError: there is none, or the file can't be used; the message names the nearest, or every mistake with its line.
    """
    if is_file(text):
        from resbench.execution.suite_file import read_suite

        return read_suite(Path(text))
    found: Suite = find("suite", "suites", "SUITE", text)
    return found
