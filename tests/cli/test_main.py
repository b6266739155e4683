"""The command as a user meets it: what it prints, what it says when something is wrong, and its exit codes."""

import errno
import importlib
import os
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from resbench import __version__
from resbench.cli.main import call, main
from resbench.cli.subcommands import SUBCOMMANDS, Subcommand, load
from resbench.errors import ResbenchError, Stopped, UsageError

ROOT = Path(__file__).parents[2]

Fail = Callable[[BaseException], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Return a function that makes `resbench boom` raise the error given."""

    def install(error: BaseException) -> None:
        def boom() -> None:
            """Fail."""
            raise error

        module = types.ModuleType("boom_module")
        vars(module)["boom"] = boom
        monkeypatch.setitem(sys.modules, "boom_module", module)
        monkeypatch.setitem(SUBCOMMANDS, "boom", Subcommand("boom_module", "boom", "Fail."))

    return install


def leaves(name: str) -> Iterator[tuple[str, Any]]:
    """Yield path and command object of the subcommand, or of each command of its group: `data prepare`."""
    command = load(name)
    if not hasattr(command, "commands"):
        yield name, command
    for inner, leaf in getattr(command, "commands", {}).items():
        yield f"{name} {inner}", leaf


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--version"]) == 0
    assert capsys.readouterr().out == f"resbench {__version__}\n"


def test_python_dash_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resbench", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"resbench {__version__}\n"


def test_the_installed_script_is_the_same_command() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["resbench"]
    module, _, function = script.partition(":")
    assert getattr(importlib.import_module(module), function) is main


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert call([]) == 0
    bare = capsys.readouterr().out
    assert call(["--help"]) == 0
    assert capsys.readouterr().out == bare
    assert all(f"  {name} " in bare for name in SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_lazy_line_is_what_the_command_says_of_itself(name: str) -> None:
    assert load(name).get_short_help_str(limit=200) == SUBCOMMANDS[name].summary


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    for path, command in leaves(name):
        assert command.help, path
        shown = command.get_help(typer.Context(command, info_name=f"resbench {path}"))
        assert f"resbench {path} " in shown.partition("Examples:")[2].replace("\n", " \n"), path


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list", "models"], ["list", "suites"], *([name, "--help"] for name in SUBCOMMANDS)],
    ids=" ".join,
)
def test_no_torch_is_imported(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from resbench.cli.main import call\n"
        "code = call(sys.argv[1:])\n"
        "heavy = {'torch', 'torchvision', 'pandas', 'matplotlib', 'scipy', 'pydantic', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["lits"], "unknown command 'lits': did you mean list?"),
        (["xyzzy"], f"unknown command 'xyzzy': choose from {', '.join(sorted(SUBCOMMANDS))}"),
        (["list", "modles"], "unknown command 'modles': did you mean models?"),
        (
            ["list"],
            "missing command: choose from models, suites (see 'resbench list --help')",
        ),
        (["run"], "missing option '--suite' (see 'resbench run --help')"),
        (
            ["list", "models", "--famly", "cifar"],
            "no such option '--famly': did you mean --family? (see 'resbench list models --help')",
        ),
        (["--nonsense"], "no such option '--nonsense' (see 'resbench --help')"),
        (
            ["list", "models", "--format", "jsn"],
            (
                "invalid value for '--format': 'jsn' is not one of 'table', 'json', 'markdown', 'csv': "
                "did you mean json? (see 'resbench list models --help')"
            ),
        ),
        (
            ["run", "--suite", "voc_compare", "--scale", "smok"],
            "unknown scale 'smok': did you mean smoke?",
        ),
        (
            ["list", "suites", "extra"],
            "got unexpected extra argument(s) (extra) (see 'resbench list suites --help')",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(arguments) == 2
    assert capsys.readouterr() == ("", f"resbench: {line}\n")


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (UsageError("no such folder"), "no such folder", 2),
        (ResbenchError("the loss\nis not finite"), "the loss is not finite", 1),
        (Stopped("stopped; 1 of 3 stored"), "stopped; 1 of 3 stored", 130),
        (PermissionError(errno.EACCES, "Permission denied", "a/b.md"), "permission denied: a/b.md", 2),
        (OSError(errno.ENOSPC, "No space left on device", "r.db"), "no space left on device: r.db", 1),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device", 1),
        (OSError("no errno here"), "internal error: OSError: no errno here (--debug shows where)", 1),
        (KeyError("x"), "internal error: KeyError: 'x' (--debug shows where)", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_failure_is_one_line(
    error: Exception, line: str, code: int, failing: Fail, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error)
    assert call(["boom"]) == code
    assert capsys.readouterr() == ("", f"resbench: {line}\n")


def test_ctrl_c_is_130_and_said(failing: Fail, capsys: pytest.CaptureFixture[str]) -> None:
    failing(KeyboardInterrupt())
    assert call(["boom"]) == 130
    assert capsys.readouterr().err.endswith("resbench: stopped\n")


def test_a_command_may_choose_its_exit_code(failing: Fail, capsys: pytest.CaptureFixture[str]) -> None:
    failing(typer.Exit(1))
    assert call(["boom"]) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [["--debug", "boom"], ["boom", "--debug"]], ids=" ".join)
def test_debug_shows_the_traceback_from_anywhere(
    arguments: list[str], failing: Fail, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(UsageError("no such folder"))
    assert call(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback ")
    assert shown.endswith("resbench: no such folder\n")


def test_a_reader_that_left_is_no_news() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "resbench", "list", "models"],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from resbench.cli.main import call\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "sys.exit(call(['list', 'models']))\n"
    )
    with (tmp_path / "models.txt").open("w") as output:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "resbench: file too large\n")


def test_completion_knows_commands_and_options() -> None:
    def complete(line: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "resbench"],
            cwd=ROOT,
            env={
                **os.environ,
                "_RESBENCH_COMPLETE": "complete_bash",
                "COMP_WORDS": line,
                "COMP_CWORD": str(line.count(" ")),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert complete("resbench li") == ["list"]
    assert complete("resbench list mo") == ["models"]
    assert complete("resbench list models --fo") == ["--format"]
    assert complete("resbench list models --format m") == ["markdown"]
