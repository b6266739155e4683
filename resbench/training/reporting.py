"""Tells the watcher where a phase stands, now and then, and stops the run when it is asked to."""

import time
from dataclasses import dataclass
from typing import Final

from resbench.errors import Stopped
from resbench.training.counting import Count
from resbench.training.watching import Step, Watch
from resbench.training.world import World

_LOOK_S: Final = 0.25
"""How often a watcher is told where the run stands: reading the loss waits for the device."""

_AGREE_EVERY: Final = 16
"""Batches between two votes of several processes: each vote waits for the slowest."""


@dataclass(frozen=True, slots=True)
class Place:
    """The epoch under way, from 1, and how many there are."""

    epoch: int
    epochs: int


class Reporter:
    """Looks at one phase of an epoch."""

    def __init__(self, watch: Watch, world: World, phase: str, place: Place, batches: int) -> None:
        self._watch, self._world, self._phase = watch, world, phase
        self._place, self._batches = place, batches
        self._looked_at = time.perf_counter()

    def look(self, count: Count) -> bool:
        """Look after a batch; return whether the watcher was told, and the device waited for.

        Raises:
            Stopped: the watcher, or that of another process, asks for an end.
        """
        if not self._votes(count):
            return False
        if self._world.agree(self._watch.stopping()):
            raise Stopped(f"stopped in epoch {self._place.epoch} of {self._place.epochs}")
        now = time.perf_counter()
        if not self._world.agree(now - self._looked_at >= _LOOK_S or count.complete):
            return False
        self._looked_at = now
        self._tell(count)
        return True

    def due(self, count: Count, since: float, seconds: float) -> bool:
        """Return whether so many seconds have passed."""
        return self._votes(count) and self._world.agree(time.perf_counter() - since >= seconds)

    def _votes(self, count: Count) -> bool:
        return self._world.size == 1 or count.done % _AGREE_EVERY == 0 or count.complete

    def _tell(self, count: Count) -> None:
        loss, top1 = count.latest()
        self._watch.step(
            Step(
                phase=self._phase,
                epoch=self._place.epoch,
                epochs=self._place.epochs,
                done=count.done,
                total=self._batches,
                samples=count.samples,
                seconds=count.seconds,
                loss=loss,
                top1=top1,
            )
        )
