"""Writing a suite's report: the text, its pictures, the results behind it, and the command that repeats it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.errors import UsageError
from resbench.specs import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.reporting.selection import Selection
    from resbench.results import Result
    from resbench.specs import Arm, Suite


def write_files(
    suite: "Suite",
    arms: "Sequence[Arm]",
    results: "Sequence[Result]",
    *,
    scale: Scale,
    asked: "Sequence[str]",
    path: Path,
    name: str = "",
) -> None:
    """Write the report to `path`, its pictures to the folder of that name, its results beside it as JSON Lines.

    `resbench report --results` renders the same report from those results.

    Args:
        suite: the question.
        arms: the arms to show.
        results: what is known of them.
        scale: the scale to show.
        asked: options that choose the arms, as they were given.
        path: of the report.
        name: the suite as it was asked for, where that is a file.

    Raises:
        UsageError: one of the files can't be written.
        ResbenchError: the disk is full.
    """
    from resbench.reporting.selection import select
    from resbench.reporting.suite_report import suite_report
    from resbench.reporting.writing import write_report
    from resbench.store.exchange import export_results

    beside = results_beside(path)
    selection = select(suite, arms, results, scale)
    settings = [word for setting in selection.settings for word in ("--set", setting)]
    options = [*settings, *_otherwise(selection), *asked]
    command = command_of(name or suite.name, results, selection.amount, options)
    write_report(suite_report(suite, arms, results, scale=scale, command=command), path)
    export_results(results, beside)


def _otherwise(selection: "Selection") -> list[str]:
    """Return the options that ask what the arms do not: another precision, more processes."""
    tested = next((result for results in selection.tested.values() for result in results), None)
    first = selection.first_trained or tested
    if first is None:
        return []
    asked = {
        "precision": first.experiment["precision"],
        "processes": first.experiment.get("processes", 1),
    }
    return [
        word
        for name, value in asked.items()
        if name not in selection.suite.differ_in and value != getattr(selection.arms[0], name)
        for word in (f"--{name}", str(value))
    ]


def results_beside(path: Path) -> Path:
    """Return where the results of the report at `path` go.

    Raises:
        UsageError: that is the report itself.
    """
    beside = path.with_suffix(".jsonl")
    if beside == path:
        raise UsageError(
            f"--output {path}: that is where the results go; name the report, as in {path.stem}.md"
        )
    return beside


def command_of(suite: str, results: "Sequence[Result]", amount: str, asked: "Sequence[str]") -> str:
    """Return the command that asks the same again. Where the pictures lay is not stored: it says DIR."""
    words = ["resbench", "run", "--suite", suite]
    trained = [result for result in results if result.experiment["recipe"]]
    if not results:
        return shlex.join([*words, *asked])
    latest = max(trained or results, key=lambda result: result.started).experiment
    if latest["device"] == "none":  # a count has neither scale nor seed
        return shlex.join([*words, *asked])
    words += ["--scale", amount]
    if latest["data"] and "sample" not in latest["data"]["label"]:
        words += ["--data", "DIR"]
    words += ["--device", latest["device"]]
    seeds = sorted({result.experiment["seed"] for result in trained})
    words += ["--seed", str(seeds[0] if len(seeds) > 1 else latest["seed"])]
    if len(seeds) > 1:
        words += ["--seeds", str(seeds[-1] - seeds[0] + 1)]
    return shlex.join([*words, *asked])
