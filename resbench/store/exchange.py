"""Results as JSON Lines: the form that is committed beside a report. A header line, then one result a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from resbench.errors import UsageError
from resbench.results import Result
from resbench.store.files import write_atomically
from resbench.store.formats import check_version, from_text, to_text

EXPORT_VERSION = 1
_FORMAT = "resbench results"
_INSTEAD = "give another file to --results"


def export_results(results: Iterable[Result], path: Path) -> None:
    """Write results, in their order, to a JSON Lines file, whole or not at all.

    Raises:
        UsageError: the path can't be written.
        ResbenchError: the disk is full.
    """
    lines = [to_text(result) for result in results]
    # The header counts the results, so that a file cut off at the end of a line is noticed.
    header = json.dumps({"format": _FORMAT, "version": EXPORT_VERSION, "results": len(lines)})
    write_atomically(path, "".join(f"{line}\n" for line in (header, *lines)).encode(), "the results")


def import_results(path: Path) -> tuple[Result, ...]:
    """Return the results of a file that `export_results` wrote, in its order.

    Raises:
        UsageError: no such file, another format or version, a torn or damaged line (named by its number).
    """
    lines = _lines(path)
    header = _header(lines[0]) if lines else {}
    what = f"results file {path}"
    stated = header.get("version") if header.get("format") == _FORMAT else None
    check_version(stated, EXPORT_VERSION, what=what, instead=_INSTEAD)
    if header.get("results") != len(lines) - 1:
        raise UsageError(
            f"{what} is torn: it announces {header.get('results')} results and holds {len(lines) - 1}; {_INSTEAD}"
        )
    return tuple(_result(line, number, path) for number, line in enumerate(lines[1:], start=2))


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines(): JSON may hold characters, such as U+2028, at which it would cut.
        return [line for line in path.read_bytes().decode().split("\n") if line]
    except OSError as error:
        raise UsageError(f"cannot read the results file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"results file {path} is not text in UTF-8; {_INSTEAD}") from error


def _header(line: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}


def _result(line: str, number: int, path: Path) -> Result:
    try:
        return from_text(line)
    except ValueError as error:
        raise UsageError(f"line {number} of {path} is no result: {error}; {_INSTEAD}") from error
