"""Runs several experiments at once on one device, each in a process of its own with its share of the cores.

A network too small to keep all cores, or a big GPU, busy leaves room for another. Each result is that of the experiment
alone with as many threads; each is stored as it finishes; the failure of one ends no other.
"""

import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from resbench.datasets.data import Data
from resbench.errors import ResbenchError, Stopped
from resbench.execution import in_process
from resbench.execution.progress import Progress, Silent
from resbench.execution.several import recorded
from resbench.execution.several_processes import threads_each
from resbench.results import Result
from resbench.specs import Engine, Experiment
from resbench.store.store import Store, open_store
from resbench.training.watching import Step

_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What a process needs to answer one experiment; it can be pickled."""

    experiment: Experiment
    data: Data
    store: str
    checkpoints: Path
    workers: int
    note: str
    engine: Engine | None
    threads: int


@dataclass(slots=True, kw_only=True)
class _Running:
    position: int
    experiment: Experiment
    process: BaseProcess
    pipe: "Connection[bool, Step | str]"
    last: Step | None = None
    ended: str | None = None


def run(
    experiments: Sequence[Experiment],
    data: Data,
    store: Store,
    *,
    at_once: int,
    checkpoints: Path,
    workers: int,
    progress: Progress,
    note: str = "",
    engine: Engine | None = None,
) -> tuple[Result, ...]:
    """Answer every experiment, `at_once` at a time, and return the results in their order.

    Args:
        experiments: the questions; those that measure are answered one by one at the end, when nothing else runs.
        data: the samples that those which train refer to.
        store: where answers are looked up and kept; each process opens it.
        at_once: how many run at the same time.
        checkpoints: folder for runs under way.
        workers: processes that prepare pictures, for each run.
        progress: is told which begin, finish or are there, and how far those under way are; may ask for an end.
        note: what readers must know of these data.
        engine: how trainings are run; without `threads`, each has its share of the cores.

    Raises:
        Stopped: the progress asked for it; what was finished is stored.
        ResbenchError: some failed; the others are stored.
    """
    threads = (engine.threads if engine is not None else None) or threads_each(at_once)
    waiting, total = [], len(experiments)
    for position, experiment in enumerate(experiments, start=1):
        known = store.get(experiment.key)
        if known is not None:
            progress.reuse(known, position, total)
            store.save(in_process.noted(known, note))
        elif experiment.recipe is not None:
            task = _Task(
                experiment=experiment,
                data=data,
                store=str(store.path),
                checkpoints=checkpoints,
                workers=workers,
                note=note,
                engine=engine,
                threads=threads,
            )
            waiting.append((position, task))
    _train_all(waiting, at_once, total, store, progress)
    measured = [
        every for every in experiments if every.profiling is not None and store.get(every.key) is None
    ]
    found = in_process.run(measured, data, store, checkpoints=checkpoints, workers=workers, progress=progress)
    # A profile that this machine can't make says why, and is not stored.
    unstored = {result.key: result for result in found}
    return tuple(
        result
        for every in experiments
        if (result := store.get(every.key) or unstored.get(every.key)) is not None
    )


def _train_all(
    waiting: list[tuple[int, _Task]], at_once: int, total: int, store: Store, progress: Progress
) -> None:
    running: list[_Running] = []
    failed: list[str] = []
    stopping = False
    try:
        while running or (waiting and not stopping):
            if not stopping:
                _fill(running, waiting, at_once, total, progress)
                stopping = progress.stopping()
                if stopping:
                    _ask_to_stop(running)
            _listen(running, progress)
            for each in [each for each in running if each.ended is not None]:
                running.remove(each)
                each.process.join()
                failed += _failure(each, total, store, progress)
    finally:
        for each in running:
            each.process.kill()
            each.process.join()
    if stopping:
        raise Stopped("stopped with all that ran at once")
    if failed:
        raise ResbenchError(
            f"{len(failed)} of {total} experiments failed, the others are stored: {failed[0]}"
        )


def _fill(
    running: list[_Running],
    waiting: list[tuple[int, _Task]],
    at_once: int,
    total: int,
    progress: Progress,
) -> None:
    while waiting and len(running) < at_once:
        position, task = waiting.pop(0)
        progress.begin(task.experiment, position, total)
        running.append(_started(position, task))


def _failure(each: _Running, total: int, store: Store, progress: Progress) -> list[str]:
    """Tell of a result that is stored now, or return what is to be said in its place."""
    result = store.get(each.experiment.key)
    if result is None:
        return [f"{each.experiment.model} with seed {each.experiment.seed}: {each.ended}"]
    progress.finish(result, each.position, total)
    return []


def _started(position: int, task: _Task) -> _Running:
    # Not forked: threads of PyTorch's, or a GPU in use, do not survive that.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(task, theirs), daemon=False)
    process.start()
    theirs.close()
    return _Running(position=position, experiment=task.experiment, process=process, pipe=ours)


def _listen(running: Sequence[_Running], progress: Progress) -> None:
    """Take what the processes say within a moment; a pipe that ends with nothing said is a process that died."""
    ready = wait([each.pipe for each in running], timeout=_POLL_S)
    for each in running:
        if each.pipe not in ready:
            continue
        try:
            said = each.pipe.recv()
        except (EOFError, OSError):
            each.process.join()
            each.ended = f"its process ended with exit code {each.process.exitcode}"
            continue
        if isinstance(said, Step):
            each.last = said
        else:
            each.ended = said
    if steps := [each.last for each in running if each.last is not None]:
        rate = sum(step.samples / step.seconds for step in steps)
        epochs = ", ".join(f"{step.epoch}/{step.epochs}" for step in steps)
        progress.status(f"{len(running)} at once, in epochs {epochs}, {rate:.0f} images/s together")


def _ask_to_stop(running: Sequence[_Running]) -> None:
    for each in running:
        with suppress(OSError):  # one that has just ended
            each.pipe.send(True)


class _Relay(Silent):
    """Tells the parent how far a run is, and stops it when the parent asks for that, or is gone."""

    def __init__(self, pipe: "Connection[Step | str, bool]") -> None:
        self._pipe, self._asked = pipe, False

    def step(self, step: Step) -> None:
        """Pass it on."""
        try:
            self._pipe.send(step)
        except OSError:
            self._asked = True

    def stopping(self) -> bool:
        """Return whether the parent asked for an end."""
        self._asked = self._asked or self._pipe.poll()
        return self._asked


def _answer(task: _Task, pipe: "Connection[Step | str, bool]") -> None:
    """Answer one experiment in this process and say how it went."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent passes it on
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(task.threads)
    said = ""
    try:
        with open_store(task.store) as store:
            in_process.run(
                [task.experiment],
                task.data,
                store,
                checkpoints=task.checkpoints,
                workers=task.workers,
                progress=recorded(_Relay(pipe), store),
                note=task.note,
                engine=task.engine,
            )
    except Exception as error:  # noqa: BLE001 - the parent tells of it, and the other runs go on
        said = str(error) if isinstance(error, ResbenchError) else f"{type(error).__name__}: {error}"
    with suppress(OSError):  # the parent is gone, and nobody is left to tell
        pipe.send(said)
