"""`resbench new`: start a file of your own."""

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.output import print_line
from resbench.errors import UsageError

app = typer.Typer(help="Start a file of your own: a suite.")


@app.command()
def suite(
    path: Annotated[Path, typer.Argument(help="The file to write: mine.toml.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a commented suite in TOML, ready to run and to change.

    \b
    Examples:
      resbench new suite mine.toml
      resbench run --suite ./mine.toml --scale smoke
    """  # noqa: D301 - typer reads the \b
    from resbench.execution.suite_file import EXAMPLE
    from resbench.store.files import write_atomically

    if path.suffix != ".toml":
        raise UsageError(f"{path}: a suite's file ends in .toml, as in mine.toml")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: name another file, or say --force to write over it")
    name = "".join(char if char.isalnum() else "_" for char in path.stem)
    name = name if name[:1].isalpha() else f"suite_{name}"
    write_atomically(path, EXAMPLE.replace("{name}", name).encode(), "the suite")
    print_line(str(path))
