"""The `resbench` command: find the subcommand, call it, and turn what goes wrong into one line and an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from resbench import __version__
from resbench.cli.failures import explain
from resbench.cli.subcommands import LazyGroup
from resbench.errors import Stopped

_EXAMPLES = """\b
Examples:
  resbench run --suite voc_compare --scale smoke
  resbench profile resnet50 --format json
  resbench list models

\b
Exit codes: 0 done, 1 failed while running, 2 something given cannot be used,
130 stopped by Ctrl-C (what was finished is kept)."""

app = typer.Typer(
    cls=LazyGroup,
    # Plain help: importing rich alone takes longer than all else that `resbench --help` does.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"resbench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def resbench(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
    debug: Annotated[  # noqa: ARG001 - `call` takes it out of the arguments, wherever it stands
        bool, typer.Option("--debug", help="Show the traceback of a failure; may stand anywhere.")
    ] = False,
) -> None:
    """Reproduce, measure and explain residual networks."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; a failure is one line on standard error.

    Args:
        arguments: without the program's name; `--debug` anywhere among them adds the traceback.
    """
    debug = "--debug" in arguments
    wanted = [argument for argument in arguments if argument != "--debug"]
    try:
        command = typer.main.get_command(app)
        code = command.main(args=wanted, prog_name="resbench", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where every failure ends
        return _fail(error, debug=debug)
    if code == Stopped.exit_code:
        # The parser takes Ctrl-C for itself and says nothing.
        return _fail(KeyboardInterrupt(), debug=False)
    return code if isinstance(code, int) else 0


def _fail(error: BaseException, *, debug: bool) -> int:
    failure = explain(error)
    if debug:
        traceback.print_exception(error)
    if failure.line:
        sys.stderr.write(f"resbench: {failure.line}\n")
    _leave_no_output_behind()
    return failure.exit_code


def _leave_no_output_behind() -> None:
    """Write out what was printed; where that can't be done, drop it, or Python complains once more at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
