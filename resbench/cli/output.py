"""Printing records so that a person can read them and a program can, too."""

import csv
import json
import sys
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
    """Print records that share one set of fields; `title` is shown above a table only."""
    if output is Format.JSON:
        print_json([dict(record) for record in records])
    elif output is Format.CSV:
        writer = csv.DictWriter(
            sys.stdout, fieldnames=list(records[0]) if records else [], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(records)
    elif output is Format.MARKDOWN:
        import tabulate

        rows = [[_text(value) for value in record.values()] for record in records]
        headers = list(records[0]) if records else []
        print_line(tabulate.tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))
    else:
        _print_table(records, title)


def print_json(data: object) -> None:
    """Print plain data as indented JSON."""
    print_line(json.dumps(data, indent=2, ensure_ascii=False))


def print_line(text: str) -> None:
    """Print one text on standard output as it is: no colour, no wrapping."""
    sys.stdout.write(text + "\n")


def _print_table(records: Sequence[Record], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for name, value in (records[0] if records else {}).items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for record in records:
        table.add_row(*(_text(value) for value in record.values()))
    console = Console()
    # A pipe has no width: give the table all it needs, so that nothing is cut or wrapped.
    console.print(table, width=None if console.is_terminal else 1_000, markup=False)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
