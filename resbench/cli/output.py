"""Printing records so that a person can read them and a program can, too."""

import csv
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from enum import StrEnum

Record = Mapping[str, object]


class Format(StrEnum):
    """How records are printed on standard output."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


def print_records(records: Sequence[Record], output: Format, *, title: str = "") -> None:
    """Print records that share one set of fields; `title` is shown above a table only.

    A field `core_macs` is the heading `core macs` for a person (table, markdown) and stays as it is for a program.
    """
    if output is Format.JSON:
        print_json([dict(record) for record in records])
    elif output is Format.CSV:
        fields = list(records[0]) if records else []
        writer = csv.DictWriter(sys.stdout, fieldnames=fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    elif output is Format.MARKDOWN:
        print_line(_markdown(records))
    else:
        print_line(_table(records, title))


def print_json(data: object) -> None:
    """Print plain data as indented JSON."""
    print_line(json.dumps(data, indent=2, ensure_ascii=False))


def print_line(text: str) -> None:
    """Print one text on standard output as it is: no colour, no wrapping."""
    sys.stdout.write(text + "\n")


def _markdown(records: Sequence[Record]) -> str:
    import tabulate

    rows = [[text.replace("|", "\\|") for text in texts] for texts in _texts(records)]
    align = ["right" if right else "left" for right in _right_aligned(records)]
    return tabulate.tabulate(rows, _headings(records), tablefmt="pipe", disable_numparse=True, colalign=align)


def _table(records: Sequence[Record], title: str) -> str:
    """Lay columns side by side. rich or tabulate would cost more than the whole rest of `resbench list models`."""
    if not records:
        return "none"
    texts = _texts(records)
    headings = _headings(records)
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    right = _right_aligned(records)
    if not right[-1]:
        widths[-1] = min(widths[-1], _room(sum(widths[:-1]) + 2 * len(widths[:-1])))
    lines = [headings, ["-" * width for width in widths], *texts]
    rows = [row for line in lines for row in _rows(line, widths, right)]
    return "\n".join([title, "", *rows] if title else rows)


def _room(taken: int) -> int:
    """Return the width of the last column: a pipe has all of it, a terminal what the other columns leave."""
    return max(24, shutil.get_terminal_size().columns - taken) if sys.stdout.isatty() else sys.maxsize


def _rows(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """Return one record as a line, or as several where its last cell has no room."""
    folded = textwrap.wrap(cells[-1], widths[-1], break_long_words=False) or [""]
    lines = [[*cells[:-1], folded[0]], *([*[""] * (len(cells) - 1), part] for part in folded[1:])]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _headings(records: Sequence[Record]) -> list[str]:
    return [name.replace("_", " ") for name in (records[0] if records else ())]


def _texts(records: Sequence[Record]) -> list[list[str]]:
    return [[_text(record[name]) for name in records[0]] for record in records]


def _right_aligned(records: Sequence[Record]) -> list[bool]:
    return [
        all(
            isinstance(record[name], int | float | None) and not isinstance(record[name], bool)
            for record in records
        )
        for name in (records[0] if records else ())
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    # A name from a file may hold line breaks, tabs or what else moves a cursor.
    return " ".join("".join(char if char.isprintable() else " " for char in str(value)).split())
