"""How long work on files tells whoever watches how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is in all."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Yield a report that draws one bar for each kind of work, on stderr and only on a terminal."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    # The stream is bound here: work that is watched may silence `sys.stderr` for a library that writes to it.
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, redirect_stderr=False, disable=not console.is_terminal
    ) as bars:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
