"""Where in a TOML text a value stands: Python's own reader does not say."""

import re
from collections.abc import Sequence

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"^\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\")(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"))*)\s*=")


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, from 1, of every table and every key of a TOML text; an array's elements are counted from 0.

    It takes lines as they come, so that a multi-line string which looks like keys adds places that nobody asks for.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(_parts(header[2]), counts, is_array=header[1] == "[[")
            found.setdefault(table, number)
            found.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def line_of(places: dict[Place, int], place: Sequence[str | int]) -> int | None:
    """Return the line of a place, or of the nearest thing that holds it; None for the whole file."""
    whole = tuple(place)
    for length in range(len(whole), 0, -1):
        if whole[:length] in places:
            return places[whole[:length]]
    return None


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip('"') for part in re.findall(r"\"[^\"]*\"|[^.]+", dotted)]


def _table(parts: Sequence[str], counts: dict[Place, int], *, is_array: bool) -> Place:
    """Return where a header leads: into the latest element of every array on its way."""
    place: Place = ()
    for position, part in enumerate(parts):
        place = (*place, part)
        if is_array and position == len(parts) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
