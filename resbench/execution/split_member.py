"""One of the processes that `resbench.execution.split` starts: `python -m resbench.execution.split_member TASK`."""

import os
import pickle
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from resbench.errors import ResbenchError
from resbench.execution import in_step
from resbench.execution.progress import Progress, Silent
from resbench.execution.several import recorded
from resbench.execution.several_processes import member
from resbench.execution.split import PIPE, Failure, Relay, Task
from resbench.store.store import open_store
from resbench.training.world import World


def main(path: str) -> int:
    """Take part in the experiment; return the exit code."""
    task: Task = pickle.loads(Path(path).read_bytes())  # noqa: S301 - written for us by the process that started us
    pipe: Connection[Any, bool] | None = Connection(int(os.environ[PIPE])) if PIPE in os.environ else None
    try:
        with member() as world:
            _take_part(task, world, pipe)
    except Exception as error:  # noqa: BLE001 - the one that started us tells of it
        known = isinstance(error, ResbenchError)
        failure = Failure(
            said=str(error) if known else f"{type(error).__name__}: {error}",
            exit_code=error.exit_code if isinstance(error, ResbenchError) else 1,
        )
        if pipe is None:
            sys.stderr.write(f"{failure.said}\n")
        else:
            pipe.send(failure)
        return failure.exit_code
    return 0


def _take_part(task: Task, world: World, pipe: "Connection[Any, bool] | None") -> None:
    with open_store(task.store) as store:
        progress: Progress = Silent() if pipe is None else recorded(Relay(pipe), store)
        in_step.run(
            [task.experiment],
            task.data,
            store,
            world=world,
            checkpoints=task.checkpoints,
            workers=task.workers,
            progress=progress,
            note=task.note,
            engine=task.engine,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
