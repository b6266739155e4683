"""Markdown from plain values: tables, headings, quotes."""

from collections.abc import Iterable, Sequence

import tabulate


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Return a pipe table; the columns in `numbers` are aligned to the right."""
    cells = [[escaped(cell) for cell in row] for row in rows]
    alignment = ["right" if column in numbers else "left" for column in range(len(headers))]
    heads = [escaped(head) for head in headers]
    return tabulate.tabulate(cells, heads, tablefmt="pipe", disable_numparse=True, colalign=alignment)


def escaped(text: str) -> str:
    """Return text that stays in its table cell and starts no markup there."""
    single = " ".join(text.split())
    for sign in ("\\", "|", "<", "`", "*"):
        single = single.replace(sign, f"\\{sign}")
    return single


def blocks(*parts: str) -> str:
    """Return the non-empty parts with a blank line between them."""
    return "\n\n".join(part for part in parts if part)


def bullets(lines: Iterable[str]) -> str:
    """Return a list, one line each."""
    return "\n".join(f"* {line}" for line in lines)
