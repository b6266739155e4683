"""Runs experiments one after the other in this process, each stored as it finishes; what is stored is not run again."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from resbench.datasets.data import Data
from resbench.errors import Stopped, UsageError
from resbench.execution.progress import Progress
from resbench.results import Ending, Result
from resbench.specs import Engine, Experiment
from resbench.store.store import Store
from resbench.training import checkpoint
from resbench.training.world import ALONE, World
from resbench.trial.profiling import profile
from resbench.trial.timed import is_answered, timed
from resbench.trial.training import train


def run(
    experiments: Sequence[Experiment],
    data: Data | None,
    store: Store,
    *,
    checkpoints: Path,
    workers: int,
    progress: Progress,
    note: str = "",
    keep: Callable[[Path], None] | None = None,
    engine: Engine | None = None,
    world: World = ALONE,
) -> tuple[Result, ...]:
    """Answer every experiment and return the results in their order.

    A profile that this machine can't make has a result, without figures, that says why; it is not stored.

    Args:
        experiments: the questions.
        data: the samples that those which train refer to; None where none trains.
        store: where answers are looked up and kept.
        checkpoints: folder for runs under way; each has a folder of its own there until its result is stored.
        workers: processes that prepare pictures.
        progress: is told of everything, and may ask for an end.
        note: what readers must know of these data, kept with every training result, old or new.
        keep: is given the folder of a finished run's checkpoints before it is deleted.
        engine: how trainings are run; None: as plainly as can be.
        world: processes that train together; of these, this is the leading one.

    Raises:
        Stopped: the progress asked for it; what was finished is stored.
        UsageError: another process is working on one of the experiments.
    """
    results = []
    for position, experiment in enumerate(experiments, start=1):
        known = store.get(experiment.key)
        if known is not None:
            progress.reuse(known, position, len(experiments))
            results.append(noted(known, note))
            if results[-1] != known:
                store.save(results[-1])
            continue
        if progress.stopping():
            raise Stopped(f"stopped before {experiment.model}")
        progress.begin(experiment, position, len(experiments))
        with _alone(checkpoints / experiment.key, experiment) as folder:
            if experiment.profiling is not None:
                measure = timed if experiment.profiling.backend else profile
                result = measure(experiment, progress.status)
            elif data is None:
                raise ValueError("a training needs data")
            else:
                answer = partial(train, workers=workers, watch=progress, engine=engine, world=world)
                result = noted(answer(experiment, data, folder=folder), note)
                if keep is not None and result.outcome is Ending.FINISHED:
                    keep(folder)
            if is_answered(result):
                store.save(result)
            checkpoint.discard(folder)
        progress.finish(result, position, len(experiments))
        results.append(result)
    with suppress(OSError):  # another process may be using it
        checkpoints.rmdir()
    return tuple(results)


def noted(result: Result, note: str) -> Result:
    """Return a training result with the note, once; a profile has nothing to do with the data."""
    if not note or note in result.notes or result.experiment["recipe"] is None:
        return result
    return replace(result, notes=(*result.notes, note))


@contextmanager
def _alone(folder: Path, experiment: Experiment) -> Iterator[Path]:
    """Hold the experiment's folder for this process; the lock goes with the process, however it ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock")
    with lock.open("w") as file:
        if not _locked(file, lock):
            raise UsageError(
                f"another process is working on {experiment.model} with this store: wait for it, "
                "or choose another --store"
            )
        yield folder
        lock.unlink()


def _locked(file: TextIO, lock: Path) -> bool:
    """Take the lock, and see that its file still is the one at that path: its last holder deletes it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), lock.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
