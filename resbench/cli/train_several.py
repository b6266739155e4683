"""`resbench train` over several processes: starting them, and being one of them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from resbench.cli.train_question import Asked, Question
from resbench.errors import UsageError
from resbench.execution.progress import Silent
from resbench.specs import Engine
from resbench.training.meeting import RENDEZVOUS, started

if TYPE_CHECKING:
    from resbench.cli.progress import Stop
    from resbench.training.world import World


def start_others(processes: int | None, devices: str) -> None:
    """Where several processes are asked for and this is none of them: start them with this command line, and leave.

    Raises:
        SystemExit: they are over; with the exit code of the leading one.
        UsageError: what is asked for can't be.
    """
    from resbench.execution.several_processes import launch, processes_of

    asked = processes_of(processes, devices)
    if started() > 1:
        if processes is not None and processes != started():
            raise UsageError(f"--processes {processes}, but {started()} were started: leave it out")
        return
    if asked.count > 1:
        # Not through the parser, which would say once more that it was stopped.
        sys.exit(launch(sys.argv[1:], asked))


@contextmanager
def one_of_several(asked: Asked, devices: str) -> Iterator[tuple[Asked, "World"]]:
    """Be one of the processes inside the block; yield what is asked, on this one's device.

    Raises:
        UsageError: a time was given, in which each process would fit another number of iterations; or fewer GPUs than processes.
    """
    if started() > 1 and asked.budget_s is not None:
        raise UsageError("--time-budget is decided by one process: give --iterations with several")
    if started() > 1 and asked.device.startswith("cuda:"):
        raise UsageError(
            f"--device {asked.device} is one GPU for {started()} processes: give --device cuda, and each takes its own"
        )
    if started() > 1 and asked.device == "cuda" and not devices:
        check_gpus()
    from resbench.execution.several_processes import member

    with member() as world:
        # A process that was started for one of --devices sees that one alone.
        one = "cuda" if world.size > 1 else devices.strip(", ")
        yield replace(asked, device=one) if devices else asked, world


def check_gpus() -> None:
    """Refuse to share one GPU among processes: NCCL can't, and would say that another process is gone.

    Raises:
        UsageError: this machine has fewer than processes.
    """
    import torch

    there, here = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", started()))
    # A launcher of clusters may show each process a GPU of its own; we do so for --devices alone.
    each_its_own = there == 1 and RENDEZVOUS not in os.environ
    if 0 < there < here and not each_its_own:
        raise UsageError(
            f"{here} processes need a GPU each, and there {'is' if there == 1 else 'are'} {there}: start fewer, or choose "
            "--device cpu"
        )


def over(question: Question, world: "World") -> Question:
    """Return the question as these processes answer it.

    Batch norm of each one's share makes it another question; synchronised, the number changes the last bits alone, and
    a run goes on over another number.
    """
    apart = question.recipe.batch_norm == "per_process"
    return replace(question, experiment=replace(question.experiment, processes=world.size if apart else 1))


def follow(question: Question, store: str, engine: Engine, world: "World") -> None:
    """Train along with the leading process: nothing is shown or written here.

    Raises:
        Stopped: a process was asked to stop.
    """
    from resbench.cli.progress import stop_on_signals
    from resbench.execution import in_step
    from resbench.store.store import open_store

    with open_store(store) as opened, stop_on_signals() as stop:
        in_step.run(
            [question.experiment],
            question.data,
            opened,
            world=world,
            checkpoints=opened.path.with_name(f"{opened.path.name}.checkpoints"),
            workers=engine.workers,
            engine=engine,
            progress=_Asked(stop),
        )


class _Asked(Silent):
    def __init__(self, stop: "Stop") -> None:
        self._stop = stop

    def stopping(self) -> bool:
        return self._stop.signal != 0
