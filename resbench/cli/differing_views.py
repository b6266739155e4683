"""How the fields in which two measurements differ are told in one line, before their ratio."""

from collections.abc import Sequence

from resbench.results import Difference

_UNRECORDED = "not recorded"


def differing_line(first: str, other: str, differences: Sequence[Difference]) -> str:
    """Return what differs between two, in their order: "Differs, b from a: case batch size 1 -> 8; ...".

    Args:
        first: name of what is compared with.
        other: name of what is compared.
        differences: what `first` says, and what `other` says.
    """
    if not differences:
        return f"Differs, {other} from {first}: nothing that is recorded."
    return f"Differs, {other} from {first}: " + "; ".join(map(_field, differences)) + "."


def _field(found: Difference) -> str:
    one, another = (_UNRECORDED if value is None else value for value in (found.first, found.second))
    return f"{found.kind} {found.name}: {one} -> {another}"
