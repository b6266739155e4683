"""The documentation says what is true: its commands parse, its links lead somewhere, it leaves no command out."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torchvision
import typer

from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.cli.main import app, call
from resbench.cli.subcommands import SUBCOMMANDS, load

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def shell_lines(page: Path) -> Iterator[str]:
    """Yield each simple command of the page's shell blocks; those joined by && one by one."""
    for block in _FENCE.findall(page.read_text()):
        for line in block.splitlines():
            yield from (part.strip() for part in line.split("&&") if part.strip())


COMMANDS = sorted({line for page in PAGES for line in shell_lines(page) if line.startswith("resbench ")})


def parse(arguments: list[str]) -> Any:
    """Parse a command line as the command would, and return the context it would be called with."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("resbench", list(arguments))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return context


def test_there_are_pages_and_commands() -> None:
    assert len(PAGES) > 8
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_parses(line: str) -> None:
    assert parse(shlex.split(line)[1:]).params is not None


CHEAP = [
    line
    for line in COMMANDS
    if line.split()[1] in ("audit", "flops", "list", "show") and not line.endswith((".pth", "--reconcile"))
]


@pytest.mark.parametrize("line", CHEAP)
def test_what_is_cheap_runs(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(shlex.split(line)[1:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_readme_shows_every_command(name: str) -> None:
    readme = list(shell_lines(ROOT / "README.md"))
    for path in [f"{name} {inner}" for inner in getattr(load(name), "commands", {})] or [name]:
        assert any(f"{line} ".startswith(f"resbench {path} ") for line in readme), path


@pytest.mark.parametrize("line", COMMANDS)
def test_every_model_and_suite_in_the_docs_exists(line: str) -> None:
    params = parse(shlex.split(line)[1:]).params
    suites = {params["suite"]} if params.get("suite") else set()
    suites = {name for name in suites if not name.endswith((".toml", ".py"))}  # files of the reader's own
    several = params.get("models") or ()
    models = {*(several.split(",") if isinstance(several, str) else several), params.get("model")} - {
        None,
        "",
        "suite",  # the word of `resbench show suite NAME`
    }
    assert suites <= gather("suites", "SUITE").keys()
    for suite in suites:  # its arms have names of their own
        gather("suites", "SUITE")[suite].chosen(tuple(models))
        models = set()
    for model in models:
        library, _, name = model.partition(":")
        if library == "torchvision":
            assert name in torchvision.models.list_models()
        elif not model.endswith(".pth"):
            assert find_architecture(model)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text()):
        file = (page.parent / target) if target else page
        assert file.exists(), f"{page.name} links to {target}"
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, f"{page.name} links to {target}#{anchor}"


def test_ci_runs_the_readmes_test_command() -> None:
    setup, tests = _FENCE.findall((ROOT / "README.md").read_text())[:2]
    script = (ROOT / ".ci" / "run").read_text()
    assert tests.strip() in script.splitlines()
    install = next(part.strip() for part in setup.split("&&") if "pip install" in part)
    assert install in script.replace("--quiet --disable-pip-version-check ", "")
