"""The habits, as commands: `nox` runs what every change must pass, `nox -s benchmarks` the rest.

Sessions run in the environment that is active: torch with its libraries takes 5.5 GB, too much for one copy a session.
"""

import re
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests", "reports"]

_HERE = Path(__file__).parent


@nox.session
def lint(session: nox.Session) -> None:
    """Style, form, and the direction of imports."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, of the package and of its tests."""
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test; those on real pictures need RESBENCH_DATA. Arguments after `--` go to pytest."""
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Our speed beside what a user would take instead."""
    session.run("pytest", "benchmarks", *session.posargs)


@nox.session
def reports(session: nox.Session) -> None:
    """Render every committed report again from its results, and fail where the two differ.

    `reports/voc_compare.short.jsonl` holds the results of `reports/voc_compare.short.md`, which is about the suite
    `voc_compare`; its pictures lie in `reports/voc_compare.short/`. A report of some of a suite's arms names them in the
    command at its end.
    """
    folder = Path(session.create_tmp())
    for results in sorted((_HERE / "reports").glob("*.jsonl")):
        suite = results.name.partition(".")[0]
        again = folder / f"{results.stem}.md"
        command = ["resbench", "report", "--suite", suite, "--results", str(results), "--output", str(again)]
        written = results.with_suffix(".md").read_text(encoding="utf-8")
        if models := re.search(r"^resbench run .* --models (\S+)", written, re.MULTILINE):
            command += ["--models", models[1]]
        session.run(*command)
        for fresh in (again, again.with_suffix("")):
            committed = results.parent / fresh.name
            session.run("git", "--no-pager", "diff", "--no-index", "--exit-code", str(committed), str(fresh))
