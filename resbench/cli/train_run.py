"""Doing what `resbench train` was asked: run, show, record, track, and write the files."""

import contextlib
import errno
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.train_question import Asked, Question, within
from resbench.errors import ResbenchError, Stopped
from resbench.results import Ending
from resbench.specs import Engine
from resbench.units import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resbench.cli.progress import Display, Stop
    from resbench.execution.progress import Progress
    from resbench.results import Result
    from resbench.store.store import Store
    from resbench.training.trackers.opening import Tracker
    from resbench.training.watching import Watch
    from resbench.training.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How it is run, where it is kept and who is told of it; nothing here is part of the question."""

    store: str
    output: Path | None
    engine: Engine
    track: tuple[str, ...]


def answer(asked: Asked, question: Question, ways: Ways, world: "World") -> None:
    """Train, unless the store has the result, and write the run's files; of several processes, in the leading one."""
    from resbench.cli.output import print_line
    from resbench.cli.progress import Display, stop_on_signals
    from resbench.cli.train_files import WEIGHTS, folder_of, write_files
    from resbench.store.store import open_store

    with open_store(ways.store) as store, stop_on_signals() as stop, Display(stop) as display:
        if asked.budget_s is not None:
            question, why = within(question, asked.budget_s, store, ways.engine)
            display.say(why)
        folder = folder_of(ways.output, question)
        _introduce(question, display)
        result = _run(question, ways, store, folder, (display, stop), world)
        names = write_files(folder, question, result)
    if WEIGHTS not in names and result.outcome is Ending.FINISHED:
        display.say(
            f"no weights: the result was in {ways.store}, which keeps none; choose another --store to train again"
        )
    print_line(_conclusion(result))
    print_line(f"{folder}: {', '.join(names)}")


def _introduce(question: Question, display: "Display") -> None:
    from resbench.specs.overriding import changes

    display.say(f"data: {question.data.identity.label}; recipe: {question.recipe.name}")
    for change in changes(question.published, question.recipe):
        display.say(
            f"      {change.field}: {change.asked or 'none'} (published: {change.published or 'none'})"
        )


def _run(
    question: Question,
    ways: Ways,
    store: "Store",
    folder: Path,
    shown: "tuple[Display, Stop]",
    world: "World",
) -> "Result":
    from resbench.cli.train_files import keeping
    from resbench.execution.in_step import run

    display, stop = shown
    try:
        with _watched(question, ways, store, display) as progress:
            (result,) = run(
                [question.experiment],
                question.data,
                store,
                checkpoints=store.path.with_name(f"{store.path.name}.checkpoints"),
                workers=ways.engine.workers,
                engine=ways.engine,
                world=world,
                progress=progress,
                keep=keeping(folder, question),
            )
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise ResbenchError(
            f"no room to write {error.filename or ways.store}: {error.strerror}; make room, and the same command goes on"
        ) from error
    except Stopped as stopped:
        raise stop.explained(f"{stopped}; the same command goes on from the last checkpoint") from None
    return result


@contextlib.contextmanager
def _watched(question: Question, ways: Ways, store: "Store", display: "Display") -> "Iterator[Progress]":
    """Yield what is told of the run: the display, the record in the store, the trackers; these are closed at the end."""
    from resbench.execution.several import Guarded, Recording, watched_by
    from resbench.results import plain
    from resbench.training.trackers.opening import Tracked, open_tracker, settings_of

    asked = question.experiment
    if store.get(asked.key) is not None:
        yield display
        return
    run = Tracked(
        name=f"{asked.model}-{question.recipe.name}-seed{asked.seed}",
        key=asked.key,
        settings=settings_of(plain(asked)),
    )
    trackers: list[tuple[str, Tracker]] = []
    finished = False
    try:
        for name in ways.track:
            trackers += [(name, open_tracker(name, run))]
        watches: list[Watch] = [Guarded(tracker.watch, name, display.say) for name, tracker in trackers]
        yield watched_by(display, Recording(store, asked), *watches)
        finished = True
    finally:
        for name, tracker in trackers:
            _close(tracker, name, display, finished=finished)


def _close(tracker: "Tracker", name: str, display: "Display", *, finished: bool) -> None:
    try:
        tracker.close(finished)
    except Exception as error:  # noqa: BLE001 - other people's code, and the run is over
        display.say(f"{name} could not be closed: {type(error).__name__}: {error}")


def _conclusion(result: "Result") -> str:
    top1 = result.find("top1_strict")
    if result.outcome is Ending.DIVERGED:
        return f"{result.experiment['model']}: diverged at step {result.diverged_at}"
    if top1 is None:
        return f"{result.experiment['model']}: no accuracy was found"
    return f"{result.experiment['model']}: top-1 {percent(top1.value)} on {top1.n:,} test samples, last epoch"
