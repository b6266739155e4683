"""What the user reads when a command fails: one line and an exit code, for every kind of error."""

import difflib
import re
from dataclasses import dataclass

import typer

from resbench.errors import ResbenchError

# typer carries its own copy of click since 0.26, and stood on click before: both are reached through typer.
_Refused: type[Exception] = typer.BadParameter.__bases__[0]

_UNUSABLE = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""These concern a path somebody gave; a full disk or a broken device is a failure while running."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One line without the program's name (empty: say nothing), and the exit code."""

    line: str
    exit_code: int


def explain(error: BaseException) -> Failure:
    """Return what to say of an error that ended a command."""
    line, exit_code = _told(error)
    return Failure(" ".join(line.splitlines()), exit_code)


def _told(error: BaseException) -> tuple[str, int]:
    match error:
        case ResbenchError():
            return str(error), error.exit_code
        case KeyboardInterrupt() | typer.Abort():
            return "stopped", 130
        case BrokenPipeError():
            return "", 1  # the reader has left (`resbench list models | head -1`): nobody to tell
        case OSError(strerror=str()):
            return _system(error), 2 if isinstance(error, _UNUSABLE) else 1
        case _ if isinstance(error, _Refused):
            return _refusal(error), 2
        case _:
            return f"internal error: {type(error).__name__}: {error} (--debug shows where)", 1


def _system(error: OSError) -> str:
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    return ": ".join([(error.strerror or "").lower(), " -> ".join(paths)]).removesuffix(": ")


def _refusal(error: Exception) -> str:
    """Return what the parser of the command line objects to, with the nearest names and the way to the help."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if hasattr(error, "possibilities"):
        message = f"no such option '{getattr(error, 'option_name', '')}'{_near_options(error.possibilities)}"
    message = f"{message[:1].lower()}{message[1:]}".rstrip(".") + _near_choice(message)
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    if message == "missing command":
        message += f": choose from {', '.join(context.command.list_commands(context))}"
    return f"{message} (see '{context.command_path} --help')"


def _near_options(possibilities: list[str] | None) -> str:
    return f": did you mean {' or '.join(sorted(possibilities))}?" if possibilities else ""


def _near_choice(message: str) -> str:
    found = re.search(r"'([^']*)' is not one of (.*)", message)
    if found is None:
        return ""
    choices = re.findall(r"'([^']*)'", found[2])
    near = difflib.get_close_matches(found[1].lower(), choices, cutoff=0.5)
    return f": did you mean {' or '.join(near)}?" if near else ""
