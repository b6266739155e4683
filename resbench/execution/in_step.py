"""Runs experiments one after the other on several processes that train each of them together."""

from collections.abc import Callable, Sequence
from pathlib import Path

from resbench.datasets.data import Data
from resbench.errors import Stopped
from resbench.execution import in_process
from resbench.execution.progress import Progress
from resbench.results import Result
from resbench.specs import Engine, Experiment
from resbench.store.store import Store
from resbench.training.world import World
from resbench.trial.training import train


def run(
    experiments: Sequence[Experiment],
    data: Data | None,
    store: Store,
    *,
    world: World,
    checkpoints: Path,
    workers: int,
    progress: Progress,
    note: str = "",
    keep: Callable[[Path], None] | None = None,
    engine: Engine | None = None,
) -> tuple[Result, ...]:
    """Answer every experiment as `in_process.run`; of several processes only the leading one has results.

    It alone looks into the store, holds the locks, writes checkpoints and results, and profiles; the others train along.

    Args:
        experiments: the questions, the same for all processes.
        data: the samples that those which train refer to; each process opens them itself.
        store: where answers are looked up and kept.
        world: the processes.
        checkpoints: folder for runs under way, which all can read.
        workers: processes that prepare pictures, of each of these.
        progress: of the leading process, what is shown; of the others, only asked whether to stop.
        note: what readers must know of these data.
        keep: is given the folder of a finished run's checkpoints before it is deleted.
        engine: how trainings are run, the same for all processes.

    Raises:
        Stopped: a process was asked to stop: all do, after the same step.
    """
    results: list[Result] = []
    for experiment in experiments:
        if world.agree(progress.stopping()):
            raise Stopped(f"stopped before {experiment.model}")
        known = world.agree(world.lead and store.get(experiment.key) is not None)
        if world.lead:
            results += in_process.run(
                [experiment],
                data,
                store,
                checkpoints=checkpoints,
                workers=workers,
                progress=progress,
                note=note,
                keep=keep,
                engine=engine,
                world=world,
            )
        elif data is not None and experiment.recipe is not None and not known:
            folder = checkpoints / experiment.key
            train(
                experiment, data, workers=workers, folder=folder, watch=progress, engine=engine, world=world
            )
    return tuple(results)
