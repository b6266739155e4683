"""Writing a suite's report: the text, its pictures, the results behind it, and the command that repeats it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.errors import UsageError
from resbench.specs import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.results import Result
    from resbench.specs import Arm, Suite


def write_files(
    suite: "Suite",
    arms: "Sequence[Arm]",
    results: "Sequence[Result]",
    *,
    scale: Scale,
    models: str,
    path: Path,
) -> None:
    """Write the report to `path`, its pictures to the folder of that name, its results beside it as JSON Lines.

    `resbench report --results` renders the same report from those results.

    Raises:
        UsageError: one of the files can't be written.
        ResbenchError: the disk is full.
    """
    from resbench.reporting.suite_report import suite_report
    from resbench.reporting.writing import write_report
    from resbench.store.exchange import export_results

    beside = results_beside(path)
    command = command_of(suite, results, scale, models)
    write_report(suite_report(suite, arms, results, scale=scale, command=command), path)
    export_results(results, beside)


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


def command_of(suite: "Suite", results: "Sequence[Result]", scale: Scale, models: str) -> str:
    """Return the command that asks the same again. Where the pictures lay is not stored: it says DIR."""
    trained = [result for result in results if result.experiment["recipe"]]
    latest = max(trained or results, key=lambda result: result.started).experiment
    words = ["resbench", "run", "--suite", suite.name, "--scale", str(scale)]
    if latest["data"] and "sample" not in latest["data"]["label"]:
        words += ["--data", "DIR"]
    words += ["--device", latest["device"], "--seed", str(latest["seed"])]
    if models:
        words += ["--models", models]
    return shlex.join(words)
