"""What is being done, on standard error, while there is no progress to measure."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show what is being done on standard error, where that is a terminal; it vanishes when done."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("") as spinner:
        yield lambda text: spinner.update(f"{text} ...")
