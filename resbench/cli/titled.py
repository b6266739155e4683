"""A table under its title, and sentences under a table, as a person or a Markdown page has them."""

from collections.abc import Iterable, Sequence

from resbench.cli.output import Format, Record, print_line, print_records


def print_titled(records: Sequence[Record], output: Format, title: str) -> None:
    """Print a table; in Markdown its title is a line above it."""
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(records, output, title=title)


def print_notes(notes: Iterable[str], output: Format) -> None:
    """Print sentences, each on a line of its own below an empty one; in Markdown as a list."""
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{note}" for note in notes))
