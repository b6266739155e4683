"""A part of a profile that is shown on demand."""

from collections.abc import Callable
from typing import NamedTuple

from resbench.cli.output import Format
from resbench.results import Measurement

Say = Callable[[str], None]
"""Is told what is being done."""


class Section(NamedTuple):
    """One more part of a profile.

    Attributes:
        show: prints it.
        as_json: its keys in JSON.
        measurements: what of it belongs to the result.
    """

    show: Callable[[Format], None]
    as_json: dict[str, object]
    measurements: tuple[Measurement, ...] = ()
