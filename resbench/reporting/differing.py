"""In what two results' environments differ: what a reader must see before the results are compared."""

from collections.abc import Sequence

from resbench.reporting.markdown import blocks, table
from resbench.results import Difference

ALIKE = "Machine, software, settings and state are recorded as the same."
_UNRECORDED = "not recorded"


def differing(differences: Sequence[Difference], names: tuple[str, str] = ("First", "Second")) -> str:
    """Return the differences as a Markdown table, and apart what only one of the two says.

    Args:
        differences: of `resbench.results.differences`.
        names: headings of the two.
    """
    if not differences:
        return ALIKE
    both = [found for found in differences if found.first is not None and found.second is not None]
    rows = [(found.kind, found.name, found.first or "", found.second or "") for found in both]
    return blocks(
        table(("Kind", "What differs", *names), rows) if rows else "",
        _silent([found for found in differences if found.first is None], names[0]),
        _silent([found for found in differences if found.second is None], names[1]),
    )


def difference_rows(
    differences: Sequence[Difference], names: tuple[str, str] = ("first", "second")
) -> list[dict[str, str]]:
    """Return the differences as records, one a line, for `resbench.cli.output`."""
    return [
        {
            "kind": found.kind,
            "what": found.name,
            names[0]: _UNRECORDED if found.first is None else found.first,
            names[1]: _UNRECORDED if found.second is None else found.second,
        }
        for found in differences
    ]


def _silent(differences: Sequence[Difference], name: str) -> str:
    """Return what one of them does not say: an older version recorded less, a CPU has no driver."""
    if not differences:
        return ""
    return f"{name} does not record: {', '.join(found.name for found in differences)}."
