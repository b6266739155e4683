"""How `resbench run` has the experiments of a suite answered, shown while they run, and stopped."""

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resbench.cli.run_request import Request
from resbench.errors import ResbenchError, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from resbench.cli.progress import Display
    from resbench.datasets.data import Data
    from resbench.execution.progress import Progress
    from resbench.results import Result
    from resbench.specs import Experiment
    from resbench.store.store import Store


@contextmanager
def shown(
    request: Request, experiments: "Sequence[Experiment]", data: str, store: "Store"
) -> "Iterator[Display]":
    """Show what happens inside the block, and turn signals into a request to stop; say what is stored where it ends early.

    Raises:
        Stopped: by Ctrl-C or SIGTERM.
        ResbenchError: the disk is full.
    """
    from resbench.cli.progress import Display, stop_on_signals

    with stop_on_signals() as stop, Display(stop) as display:
        display.say(f"data: {data or 'none'}; {len(experiments)} experiments, results in {request.store}")
        try:
            yield display
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


def run_by_data(
    request: Request,
    experiments: "Sequence[Experiment]",
    data: "Sequence[Data]",
    store: "Store",
    progress: "Progress",
) -> "tuple[Result, ...]":
    """Answer the experiments of one data set after those of another; those that need none come with the first."""
    results: list[Result] = []
    for number, opened in enumerate(data or (None,)):
        wanted = [
            experiment
            for experiment in experiments
            if (opened is not None and experiment.data == opened.identity)
            or (experiment.data is None and number == 0)
        ]
        results += _answered(request, wanted, opened, store, progress)
    return tuple(results)


def _answered(
    request: Request,
    experiments: "Sequence[Experiment]",
    data: "Data | None",
    store: "Store",
    progress: "Progress",
) -> "tuple[Result, ...]":
    from resbench.execution import in_process, split, together

    ways: dict[str, Any] = {
        "checkpoints": store.path.with_name(f"{store.path.name}.checkpoints"),
        "workers": request.engine.workers,
        "progress": progress,
        "note": request.note,
        "engine": request.engine,
    }

    def processes(experiment: "Experiment") -> int:
        return 1 if experiment.recipe is None else request.processes or experiment.processes

    alone = [experiment for experiment in experiments if processes(experiment) == 1]
    shared = [experiment for experiment in experiments if processes(experiment) > 1]
    for experiment in shared:
        if store.get(experiment.key) is None:  # too few GPUs are told before anything is trained
            split.processes_for(experiment.device, processes(experiment))
    if request.together > 1 and data is not None:
        found = together.run(alone, data, store, at_once=request.together, **ways)
    else:
        found = in_process.run(alone, data, store, **ways)
    if data is None or len(alone) == len(experiments):
        return found
    found += split.run(shared, data, store, count=processes, **ways)
    by_key = {result.key: result for result in found}
    return tuple(by_key[experiment.key] for experiment in experiments)
