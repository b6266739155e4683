"""A part of a profile that is shown on demand."""

from collections.abc import Callable
from typing import NamedTuple

from resbench.cli.output import Format

Say = Callable[[str], None]
"""Is told what is being done."""


class Section(NamedTuple):
    """One more part of a profile: how it is printed, and its keys in JSON."""

    show: Callable[[Format], None]
    as_json: dict[str, object]
