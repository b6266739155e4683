"""What a run tells whoever watches it, and how it is asked to stop."""

from dataclasses import dataclass
from typing import Protocol

from resbench.results import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a run stands after one batch; the losses and shares are those of the last few batches.

    Attributes:
        phase: `train` or `test`.
        epoch, epochs: the epoch under way, from 1, and how many there are.
        done, total: batches of this phase.
        samples: samples of this phase so far.
        seconds: since the phase began.
    """

    phase: str
    epoch: int
    epochs: int
    done: int
    total: int
    samples: int
    seconds: float
    loss: float
    top1: float


class Watch(Protocol):
    """Receives the run's progress; every method returns at once."""

    def step(self, step: Step) -> None:
        """Take note of a batch; called a few times a second at most."""

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Take note of a finished epoch."""

    def resumed(self, epoch: int) -> None:
        """Take note that the run goes on after `epoch`."""

    def stopping(self) -> bool:
        """Return whether the run was asked to stop."""


class Unwatched:
    """Watches nothing and never stops a run."""

    def step(self, step: Step) -> None:
        """Ignore it."""

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Ignore it."""

    def resumed(self, epoch: int) -> None:
        """Ignore it."""

    def stopping(self) -> bool:
        """Never."""
        return False
