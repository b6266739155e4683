"""A machine that exists only in numbers."""

from collections.abc import Callable, Iterator

import pytest

from resbench.metrics.latency.clocks import Stopwatch


class Machine:
    """A call takes the next of `durations`, and its work is done only when the device is synchronised."""

    def __init__(self, durations: Iterator[float]) -> None:
        self.now = 0.0
        self.pending = 0.0
        self.calls = 0
        self.synchronised = 0
        self._durations = durations
        self.stopwatch = Stopwatch(clock=lambda: self.now, synchronise=self._synchronise)

    def call(self) -> None:
        self.calls += 1
        self.pending += next(self._durations)

    def _synchronise(self) -> None:
        self.synchronised += 1
        self.now += self.pending
        self.pending = 0.0


@pytest.fixture
def machine_of() -> Callable[[Callable[[int], float]], Machine]:
    """Makes a machine whose call number n (from 0) takes so many seconds."""
    return lambda duration: Machine(duration(number) for number in range(1_000_000))
