"""A suite's progress on standard error: a live bar on a terminal, a line an epoch elsewhere; and how it is stopped."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from resbench.errors import Stopped
from resbench.results import Epoch, Result
from resbench.specs import Experiment
from resbench.training.watching import Step
from resbench.units import duration, percent


class Stop:
    """Set by the first SIGINT or SIGTERM; a second SIGINT ends the program at once."""

    def __init__(self) -> None:
        self.signal = 0

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal, and leave the next one to Python."""
        self.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stderr.write("\nstopping after this step; press Ctrl-C again to end at once\n")

    def explained(self, what: str) -> Stopped:
        """Return the error that says who asked, with the exit code that shells give to that signal."""
        who = "Ctrl-C" if self.signal == signal.SIGINT else "SIGTERM"
        stopped = Stopped(f"{who}: {what}")
        stopped.exit_code = 128 + self.signal
        return stopped


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into a request inside the block."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Display:
    """Shows the progress of a suite; see `resbench.execution.progress.Progress` for what it is told."""

    def __init__(self, stop: Stop, console: Console | None = None) -> None:
        self._stop = stop
        self._console = console or Console(stderr=True, highlight=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
            # As often as a run tells where it stands. Each drawing holds up the thread that trains.
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=None, count="", figures="")
        self._model = ""
        self._began = time.monotonic()
        self._epochs_done = 0

    def __enter__(self) -> Self:
        """Start the live display."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the live display and give the terminal back."""
        self._bar.stop()

    def say(self, text: str) -> None:
        """Print one line above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        """Show which experiment runs."""
        self._model, self._began, self._epochs_done = experiment.model, time.monotonic(), 0
        doing = "profile" if experiment.profiling is not None else "train and test"
        doing = "test" if experiment.evaluation is not None else doing
        self.say(f"[{position}/{total}] {doing} {experiment.model} on {experiment.device}")
        self._bar.reset(
            self._task, description=f"{doing} {experiment.model}", total=None, count="", figures=""
        )

    def reuse(self, result: Result, position: int, total: int) -> None:
        """Say that a result was there."""
        model = result.experiment["model"]
        doing = "profile" if result.experiment["profiling"] is not None else "training"
        doing = "test" if result.experiment.get("evaluation") else doing
        self.say(f"[{position}/{total}] {doing} of {model}: in the store since {result.started}")

    def finish(self, result: Result, position: int, total: int) -> None:
        """Say that a result is stored, or why there is none."""
        from resbench.trial.timed import why_unanswered

        why = why_unanswered(result)
        said = (
            f"{why} Not stored: it is asked for again." if why else f"stored after {duration(result.seconds)}"
        )
        self.say(f"[{position}/{total}] {said}")

    def resumed(self, epoch: int) -> None:
        """Say that a run goes on."""
        self.say(f"      goes on after epoch {epoch}")

    def status(self, doing: str) -> None:
        """Show what is being measured."""
        self._bar.update(self._task, figures=doing)

    def step(self, step: Step) -> None:
        """Move the bar."""
        rate = step.samples / step.seconds
        figures = (
            f"loss {step.loss:.3f}  top-1 {percent(step.top1, 1)}  {rate:.0f} images/s"
            f"  {duration(self._left(step))} left"
        )
        what = f"{self._model} epoch {step.epoch}/{step.epochs} {step.phase}"
        self._bar.update(
            self._task,
            description=what,
            completed=step.done,
            total=step.total,
            count=f"{step.done}/{step.total}",
            figures=figures,
        )

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Say what an epoch found."""
        self._epochs_done += 1
        train = epoch.train
        parts = [f"train loss {train.loss:.3f}, top-1 {percent(train.top1)}"]
        for name, found in (("validation", epoch.validation), ("test", epoch.test)):
            if found is not None:
                top5 = percent(found.top5)
                parts.append(f"{name} loss {found.loss:.3f}, top-1 {percent(found.top1)}, top-5 {top5}")
        parts.append(f"{train.samples / train.seconds:.0f} images/s")
        self.say(f"      epoch {epoch.number}/{epochs}: {'; '.join(parts)}")

    def stopping(self) -> bool:
        """Return whether a signal asked for the end."""
        return self._stop.signal != 0

    def _left(self, step: Step) -> float:
        """Estimate the seconds left of this run from the epochs, and the part of one, of this session."""
        share = step.done / step.total
        if step.phase in ("train", "test"):
            share = (share + (step.phase == "test")) / 2
        return (
            (time.monotonic() - self._began)
            * (step.epochs - step.epoch + 1 - share)
            / (self._epochs_done + share)
        )
