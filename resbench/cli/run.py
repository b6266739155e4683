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
from resbench.specs import Kind, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.cli.progress import Display
    from resbench.datasets.data import Data
    from resbench.execution.scaling import Amount
    from resbench.results import Result
    from resbench.specs import Arm, Experiment, Suite
    from resbench.store.store import Store

EPILOG = """
Examples:

  resbench run --suite voc_compare --scale smoke

  resbench run --suite voc_compare --scale short --data .data

  resbench run --suite voc_compare --data .data --device cuda --models resnet50

  resbench run --suite cifar_depth --seeds 5 --data .data --device cuda

  resbench run --suite ./mine.toml --scale 0.01 --data .data

  resbench run --suite cifar_inputs --data .data --set optimizer.lr=0.05
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given."""

    suite: str
    scale: str
    data: Path | None
    device: str
    seed: int
    seeds: int
    models: str
    store: str
    output: Path | None
    workers: int
    note: str
    settings: tuple[str, ...] = ()


def run(
    suite: Annotated[
        str,
        typer.Option(
            help="A suite of 'resbench list suites', or a file of your own: ./mine.toml, ./mine.py."
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field of every arm's recipe that is to be otherwise, after the scale; may be given several times. Such "
            "a run is not compared with the papers.",
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="How much of it: smoke, short, full, or a share of its iterations and pictures such as 0.01. Only full "
            "is compared with the papers."
        ),
    ] = "full",
    data: Annotated[
        Path | None, typer.Option(help="Folder of the real pictures. Without it, smoke runs on drawn ones.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Decides initialisation, order and augmentation.")
    ] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds, from --seed on; every arm has the same ones.")
    ] = 1,
    models: Annotated[
        str, typer.Option(help="Some of the suite's arms or models, separated by commas; extra ones, too.")
    ] = "",
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

    Ctrl-C loses nothing that was finished: the same command goes on from the last checkpoint.
    """
    request = Request(
        suite=suite,
        scale=scale,
        data=data,
        device=device,
        seed=seed,
        seeds=seeds,
        models=models,
        store=store,
        output=output,
        workers=workers,
        note=note.strip(),
        settings=tuple(settings or ()),
    )
    answer(request)


def answer(request: Request) -> None:
    """Run what is missing of the suite and write the report."""
    from resbench.cli.output import print_line
    from resbench.cli.report_files import results_beside, write_files
    from resbench.execution.counting import count_arms
    from resbench.execution.finding import find_suite
    from resbench.execution.planning import check_runnable, check_scale
    from resbench.execution.scaling import parse_amount

    suite = find_suite(request.suite)
    arms = suite.chosen(tuple(split_list(request.models)))
    amount = parse_amount(request.scale)
    check_scale(suite, amount.scale, sample=request.data is None)
    check_runnable(suite, arms)
    if request.settings and suite.kind is not Kind.TRAINED:
        raise UsageError(f"{suite.name} trains nothing: leave out --set")
    output = request.output or Path("reports") / f"{suite.name}.md"
    check_writable(output)
    check_writable(results_beside(output))
    counted = suite.kind is Kind.COUNTED
    results = count_arms(suite, arms) if counted else _measured(request, suite, arms, amount)
    write_files(
        suite,
        arms,
        results,
        # A count is whole, whatever the scale.
        scale=Scale.FULL if counted else amount.scale,
        asked=(*(("--models", request.models) if request.models else ()),),
        path=output,
        name=request.suite,
    )
    print_line(str(output))


def _measured(
    request: Request, suite: "Suite", arms: "Sequence[Arm]", amount: "Amount"
) -> "tuple[Result, ...]":
    from resbench.datasets.opening import open_data
    from resbench.datasets.progress import progress_bar
    from resbench.execution.planning import Asked, check_pictures, experiments_of
    from resbench.store.store import open_store

    device, machine = _device(request.device)
    names = dict.fromkeys(suite.data_of(arm) for arm in arms if suite.data_of(arm))
    with progress_bar() as report:
        data = {name: open_data(name, request.data, progress=report) for name in names}
    asked = Asked(
        amount=amount,
        seeds=range(request.seed, request.seed + request.seeds),
        device=device,
        data={name: opened.identity for name, opened in data.items()},
        machine=machine,
        settings=request.settings,
    )
    experiments = experiments_of(suite, arms, asked)
    check_pictures(experiments)
    with open_store(request.store) as store:
        return _run(request, experiments, tuple(data.values()), store)


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
    request: Request, experiments: "Sequence[Experiment]", data: "Sequence[Data]", store: "Store"
) -> "tuple[Result, ...]":
    from resbench.cli.progress import Display, stop_on_signals

    with stop_on_signals() as stop, Display(stop) as display:
        labels = ", ".join(opened.identity.label for opened in data)
        display.say(f"data: {labels or 'none'}; {len(experiments)} experiments, results in {request.store}")
        try:
            return _run_by_data(request, experiments, data, store, display)
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
                "same command goes on from the last checkpoint"
            ) from None


def _run_by_data(
    request: Request,
    experiments: "Sequence[Experiment]",
    data: "Sequence[Data]",
    store: "Store",
    display: "Display",
) -> "tuple[Result, ...]":
    """Answer the experiments of one data set after those of another; those that need none come with the first."""
    from resbench.execution.in_process import run as run_experiments

    results: list[Result] = []
    for number, opened in enumerate(data or (None,)):
        wanted = [
            experiment
            for experiment in experiments
            if (opened is not None and experiment.data == opened.identity)
            or (experiment.data is None and number == 0)
        ]
        results += run_experiments(
            wanted,
            opened,
            store,
            checkpoints=store.path.with_name(f"{store.path.name}.checkpoints"),
            workers=request.workers,
            progress=display,
            note=request.note,
        )
    return tuple(results)
