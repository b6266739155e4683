"""Results as text and back, exactly; and the sentences for a format of another version."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from resbench.errors import UsageError
from resbench.results import Result, plain

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@cache
def _adapter() -> "TypeAdapter[Result]":
    from pydantic import TypeAdapter

    return TypeAdapter(Result)


def to_text(result: Result) -> str:
    """Return a result as one line of JSON. Every float is written so that it reads back as the same float."""
    return json.dumps(plain(result), separators=(",", ":"))


def from_text(text: str) -> Result:
    """Return the result that `to_text` wrote.

    Raises:
        ValueError: the text is no JSON, or no result; the message is one line.
    """
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ValueError(f"{place}: {first['msg']}") from error


def check_version(found: Any, readable: int, *, what: str, instead: str) -> None:
    """Accept a stored format's version, or say in its own sentence why not.

    Args:
        found: the version the file states, None where it states none.
        readable: the version this resbench reads and writes.
        what: the file and its kind: "store results.db", "results file a.jsonl".
        instead: what else the user can do: "choose another --store".

    Raises:
        UsageError: the version is newer, older or missing.
    """
    if found is None:
        raise UsageError(
            f"{what} does not say which resbench format it has: it is not ours, or torn; {instead}"
        )
    if not isinstance(found, int) or isinstance(found, bool):
        raise UsageError(f"{what} states the format version {found!r}, which is no whole number; {instead}")
    if found > readable:
        raise UsageError(
            f"{what} was written by a newer resbench (schema {found}, this one reads {readable}): "
            f"upgrade resbench or {instead}"
        )
    if found < readable:
        raise UsageError(
            f"{what} was written by an older resbench (schema {found}, this one reads {readable}): "
            f"read it with the resbench that wrote it, or {instead}"
        )
