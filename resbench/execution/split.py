"""Runs experiments one after the other, each over several processes that are started for it; this one trains nothing.

The leading process of each tells, through a pipe, what it does, and learns through it when to stop.
"""

import pickle
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from resbench.datasets.data import Data
from resbench.errors import ResbenchError, Stopped, UsageError
from resbench.execution.in_process import noted
from resbench.execution.progress import Progress, Silent
from resbench.execution.several_processes import Processes, Talk, start
from resbench.results import Epoch, Result
from resbench.specs import Engine, Experiment
from resbench.store.store import Store
from resbench.training.watching import Step

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PIPE: Final = "RESBENCH_SPLIT_PIPE"
"""Names the descriptor through which the leading process tells what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What each process needs to take its part in one experiment; it can be pickled."""

    experiment: Experiment
    data: Data
    store: str
    checkpoints: Path
    workers: int
    note: str
    engine: Engine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the leading process has to say where it has no result."""

    said: str
    exit_code: int


def run(
    experiments: Sequence[Experiment],
    data: Data,
    store: Store,
    *,
    count: Callable[[Experiment], int],
    checkpoints: Path,
    workers: int,
    progress: Progress,
    note: str = "",
    engine: Engine | None = None,
) -> tuple[Result, ...]:
    """Answer every experiment and return the results in their order.

    Args:
        experiments: the questions; each trains.
        data: the samples that they refer to; each process gets them.
        store: where answers are looked up and kept; the leading process of each opens it.
        count: over how many processes an experiment is split.
        checkpoints: folder for runs under way.
        workers: processes that prepare pictures, of each process.
        progress: is told what the leading processes do; may ask for an end.
        note: what readers must know of these data.
        engine: how trainings are run; without `threads`, each process has its share of the cores.

    Raises:
        Stopped: the progress asked for it.
        UsageError: there are fewer GPUs than processes, or the experiment can't be split.
        ResbenchError: a process failed.
    """
    results = []
    for position, experiment in enumerate(experiments, start=1):
        known = store.get(experiment.key)
        if known is not None:
            progress.reuse(known, position, len(experiments))
            store.save(noted(known, note))
        else:
            if progress.stopping():
                raise Stopped(f"stopped before {experiment.model}")
            progress.begin(experiment, position, len(experiments))
            task = Task(
                experiment=experiment,
                data=data,
                store=str(store.path),
                checkpoints=checkpoints,
                workers=workers,
                note=note,
                engine=engine,
            )
            _train(task, processes_for(experiment.device, count(experiment)), progress)
        result = store.get(experiment.key)
        if result is None:
            raise ResbenchError(f"the processes of {experiment.model} ended without a result: run it again")
        if known is None:
            progress.finish(result, position, len(experiments))
        results.append(result)
    return tuple(results)


def processes_for(device: str, count: int) -> Processes:
    """Return the processes, on a GPU each where the device is one.

    Raises:
        UsageError: there are fewer GPUs than processes, or the device is one GPU by its number.
    """
    if device == "cpu":
        return Processes(count=count)
    if device not in ("cuda", "cuda:0"):
        raise UsageError(f"{count} processes take the first {count} GPUs, not {device}: give --device cuda")
    import torch

    there = torch.cuda.device_count()
    if there < count:
        raise UsageError(
            f"{count} processes need a GPU each, and there {'is' if there == 1 else 'are'} {there}: leave the arm out "
            "with --models, or choose --device cpu"
        )
    return Processes(count=count, devices=tuple(f"cuda:{number}" for number in range(count)))


def _train(task: Task, processes: Processes, progress: Progress) -> None:
    ours, theirs = Pipe()
    failures: list[Failure] = []
    with tempfile.TemporaryDirectory(prefix="resbench-split-") as folder, ours, theirs:
        path = Path(folder) / "task"
        path.write_bytes(pickle.dumps(task))
        code = start(
            [sys.executable, "-m", "resbench.execution.split_member", str(path)],
            processes,
            Talk(name=PIPE, theirs=theirs, listen=_Listening(ours, progress, failures)),
        )
    if failures:
        _fail(failures[0])
    if code:
        raise ResbenchError(f"the leading process of {task.experiment.model} ended with exit code {code}")


def _fail(failure: Failure) -> None:
    kinds = {kind.exit_code: kind for kind in (Stopped, UsageError)}
    raise kinds.get(failure.exit_code, ResbenchError)(failure.said)


class _Listening:
    """Passes on what the leading process says, and once, to it, that it is to stop."""

    def __init__(self, pipe: "Connection[bool, Any]", progress: Progress, failures: list[Failure]) -> None:
        self._pipe, self._progress, self._failures = pipe, progress, failures
        self._asked = self._over = False

    def __call__(self) -> None:
        try:
            while not self._over and self._pipe.poll():
                self._take(self._pipe.recv())
        except (EOFError, OSError):  # it has ended
            self._over = True
        if self._progress.stopping() and not self._asked:
            self._asked = True
            with suppress(OSError):
                self._pipe.send(True)

    def _take(self, said: object) -> None:
        match said:
            case Step():
                self._progress.step(said)
            case (Epoch() as epoch, int(epochs)):
                self._progress.epoch(epoch, epochs)
            case int(epoch):
                self._progress.resumed(epoch)
            case Failure():
                self._failures.append(said)


class Relay(Silent):
    """The leading process's end: tells the one that started it how far a run is, and is told when to stop."""

    def __init__(self, pipe: "Connection[Any, bool]") -> None:
        self._pipe, self._asked = pipe, False

    def step(self, step: Step) -> None:
        """Pass it on."""
        self._pipe.send(step)

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Pass it on."""
        self._pipe.send((epoch, epochs))

    def resumed(self, epoch: int) -> None:
        """Pass it on."""
        self._pipe.send(epoch)

    def stopping(self) -> bool:
        """Return whether an end was asked for."""
        self._asked = self._asked or self._pipe.poll()
        return self._asked
