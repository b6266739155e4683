"""What an execution tells whoever watches it, beyond what a training run does."""

from typing import Protocol

from resbench.results import Result
from resbench.specs import Experiment
from resbench.training.watching import Unwatched, Watch


class Progress(Watch, Protocol):
    """Receives the progress of a suite."""

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        """Take note that an experiment starts, the `position`-th of `total`, from 1."""

    def reuse(self, result: Result, position: int, total: int) -> None:
        """Take note that an experiment was answered before."""

    def status(self, doing: str) -> None:
        """Take note of what is being measured."""

    def finish(self, result: Result, position: int, total: int) -> None:
        """Take note that an experiment is answered and stored."""


class Silent(Unwatched):
    """Watches nothing."""

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        """Ignore it."""

    def reuse(self, result: Result, position: int, total: int) -> None:
        """Ignore it."""

    def status(self, doing: str) -> None:
        """Ignore it."""

    def finish(self, result: Result, position: int, total: int) -> None:
        """Ignore it."""
