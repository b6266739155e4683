"""`resbench report`: render a suite's report again, from the store or from a file of results."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.architectures.naming import split_list
from resbench.errors import UsageError
from resbench.specs import Kind, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.results import Result
    from resbench.specs import Arm, Suite

EPILOG = """
Examples:

  resbench report --suite voc_compare

  resbench report --suite voc_compare --scale short --output short.md

  resbench report --suite voc_compare --results reports/voc_compare.jsonl
"""


def report(
    suite: Annotated[str, typer.Option(help="The suite; 'resbench list suites' shows them.")],
    store: Annotated[str, typer.Option(help="SQLite file of the results.")] = "resbench.db",
    results: Annotated[
        Path | None, typer.Option(help="File of exported results (JSON Lines), instead of the store.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The report. [default: reports/SUITE.md]")] = None,
    scale: Annotated[
        Scale | None, typer.Option(help="Which scale to show. [default: that of the latest result]")
    ] = None,
    models: Annotated[str, typer.Option(help="Some of the suite's models, separated by commas.")] = "",
) -> None:
    """Write the report of a suite again from stored results.

    Nothing is trained or measured.
    """
    from resbench.cli.output import print_line
    from resbench.cli.report_files import write_files
    from resbench.execution.finding import find_suite

    found = find_suite(suite)
    arms = found.chosen(tuple(split_list(models)))
    known = _known(found, arms, store, results, scale)
    if not known:
        raise UsageError(_nothing(found, scale, str(results or store)))
    shown_scale = Scale(max(known, key=lambda result: result.started).experiment["scale"])
    chosen = [result for result in known if result.experiment["scale"] == shown_scale]
    path = output or Path("reports") / f"{found.name}.md"
    asked = ("--models", models) if models else ()
    write_files(found, arms, chosen, scale=shown_scale, asked=asked, path=path, name=suite)
    print_line(f"scale {shown_scale}: {path}")


def _known(
    suite: "Suite", arms: "Sequence[Arm]", store: str, file: Path | None, scale: Scale | None
) -> "Sequence[Result]":
    """Return what there is to show; what is only counted is counted, unless a file holds it."""
    if suite.kind is Kind.COUNTED and file is None:
        from resbench.execution.counting import count_arms

        return count_arms(suite, arms)
    return _of_suite(suite, arms, _results(store, file), scale)


def _results(store: str, file: Path | None) -> "tuple[Result, ...]":
    if file is not None:
        from resbench.store.exchange import import_results

        return import_results(file)
    from resbench.store.store import open_store

    with open_store(store, create=False) as opened:
        return opened.results()


def _of_suite(
    suite: "Suite", arms: "Sequence[Arm]", results: "Sequence[Result]", scale: Scale | None
) -> "list[Result]":
    """Return the results that some run of this suite made; a profile of the same model may be of another suite's."""
    from resbench.reporting.selection import belongs

    return [
        result
        for result in results
        if scale in (None, result.experiment["scale"])
        and any(belongs(suite, arm, result.experiment) for arm in arms)
    ]


def _nothing(suite: "Suite", scale: Scale | None, place: str) -> str:
    wanted = f" at scale {scale}" if scale else ""
    run = f"resbench run --suite {suite.name} --scale {scale or Scale.SMOKE}"
    return f"{place} holds no result of {suite.name}{wanted}: run '{run}' first, or name another --store"
