"""`resbench run`: train, measure, and write a suite's report."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.architectures.naming import split_list
from resbench.cli.status import status
from resbench.errors import ResbenchError, Stopped, UsageError
from resbench.specs import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.datasets.data import Data
    from resbench.results import Result
    from resbench.specs import Experiment, Suite
    from resbench.store.store import Store

EPILOG = """
Examples:

  resbench run --suite voc_compare --scale smoke

  resbench run --suite voc_compare --scale short --data .data

  resbench run --suite voc_compare --data .data --device cuda --models resnet50
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given."""

    suite: str
    scale: Scale
    data: Path | None
    device: str
    seed: int
    models: str
    store: str
    output: Path | None
    workers: int
    note: str


def run(
    suite: Annotated[str, typer.Option(help="The suite; 'resbench list suites' shows them.")],
    scale: Annotated[
        Scale, typer.Option(help="How much of it: only full is compared with the papers.")
    ] = Scale.FULL,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the real pictures. Without it, smoke runs on drawn ones.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Decides initialisation, order and augmentation.")
    ] = 0,
    models: Annotated[str, typer.Option(help="Some of the suite's models, separated by commas.")] = "",
    store: Annotated[
        str, typer.Option(help="SQLite file of the results; finished work there is not repeated.")
    ] = ("resbench.db"),
    output: Annotated[Path | None, typer.Option(help="The report. [default: reports/SUITE.md]")] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that prepare pictures; the results do not depend on them.")
    ] = 0,
    note: Annotated[
        str, typer.Option(help="A sentence on the data that every report of these results shows at its head.")
    ] = "",
) -> None:
    """Train, test and profile the models of a suite, and write its report.

    Ctrl-C loses nothing that was finished: the same command goes on from the last epoch.
    """
    request = Request(
        suite=suite,
        scale=scale,
        data=data,
        device=device,
        seed=seed,
        models=models,
        store=store,
        output=output,
        workers=workers,
        note=note.strip(),
    )
    answer(request)


def answer(request: Request) -> None:
    """Run what is missing of the suite and write the report."""
    from resbench.catalog import find
    from resbench.cli.output import print_line
    from resbench.cli.report_files import results_beside, write_files
    from resbench.datasets.opening import open_data
    from resbench.datasets.progress import progress_bar
    from resbench.execution.planning import check_scale, experiments_of
    from resbench.store.store import open_store

    suite: Suite = find("suite", "suites", "SUITE", request.suite)
    arms = suite.chosen(tuple(split_list(request.models)))
    check_scale(suite, request.scale, sample=request.data is None)
    output = request.output or Path("reports") / f"{suite.name}.md"
    check_writable(output)
    check_writable(results_beside(output))
    device, machine = _device(request.device)
    with progress_bar() as report:
        data = open_data(suite.data, request.data, progress=report)
    experiments = experiments_of(
        suite,
        arms,
        scale=request.scale,
        seed=request.seed,
        device=device,
        data=data.identity,
        machine=machine,
    )
    with open_store(request.store) as store:
        results = _run(request, experiments, data, store)
    write_files(suite, arms, results, scale=request.scale, models=request.models, path=output)
    print_line(str(output))


def _device(name: str) -> tuple[str, str]:
    """Return the device's full name and the machine's identity."""
    with status() as say:
        say("loading torch")
        from resbench.environment import capture
        from resbench.models.devices import resolve_device

        device = str(resolve_device(name))
        return device, capture(device).machine_id


def check_writable(path: Path) -> None:
    """Find out before hours of training, not after, that a report could not be written.

    Raises:
        UsageError: it could not.
    """
    if path.is_dir():
        raise UsageError(
            f"cannot write the report to {path}: it is a folder; give a file name such as {path}/report.md"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write the report to {path}: {error.strerror}; choose another --output"
        ) from error
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write the report to {path}: permission denied; choose another --output")


def _run(
    request: Request, experiments: "Sequence[Experiment]", data: "Data", store: "Store"
) -> "tuple[Result, ...]":
    from resbench.cli.progress import Display, stop_on_signals
    from resbench.execution.in_process import run as run_experiments

    with stop_on_signals() as stop, Display(stop) as display:
        display.say(
            f"data: {data.identity.label}; {len(experiments)} experiments, results in {request.store}"
        )
        try:
            return run_experiments(
                experiments,
                data,
                store,
                checkpoints=store.path.with_name(f"{store.path.name}.checkpoints"),
                workers=request.workers,
                progress=display,
                note=request.note,
            )
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise ResbenchError(
                f"no room to write {error.filename or request.store}: {error.strerror}; what was finished is stored in "
                f"{request.store}: make room, and the same command goes on from there"
            ) from error
        except Stopped as stopped:
            finished = sum(store.get(experiment.key) is not None for experiment in experiments)
            raise stop.explained(
                f"{stopped}; {finished} of {len(experiments)} experiments are stored in {request.store}, and the "
                "same command goes on from the last finished epoch"
            ) from None
