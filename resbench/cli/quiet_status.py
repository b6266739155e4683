"""What is being done, on standard error, without a thread that redraws it: nothing of ours runs beside a measurement."""

import contextlib
import sys
from collections.abc import Callable, Iterator

_CLEAR = "\r\x1b[2K"


@contextlib.contextmanager
def quiet_status() -> Iterator[Callable[[str], None]]:
    """Show what is being done on standard error, where that is a terminal; it vanishes when done."""
    if not sys.stderr.isatty():
        yield lambda _text: None
        return

    def say(text: str) -> None:
        sys.stderr.write(f"{_CLEAR}{text} ...")
        sys.stderr.flush()

    try:
        yield say
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
