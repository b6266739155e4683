"""A watch is told at most four times a second, however short a step is."""

from typing import Any, cast

import pytest

from resbench.training.reporting import Place, Reporter
from resbench.training.watching import Step, Unwatched
from resbench.training.world import ALONE


class Counted:
    """Stands for the count of an epoch; reading it would wait for the device."""

    def __init__(self, batches: int) -> None:
        self.done, self.batches, self.reads = 0, batches, 0
        self.samples, self.seconds = 0, 1.0

    @property
    def complete(self) -> bool:
        return self.done == self.batches

    def latest(self) -> tuple[float, float]:
        self.reads += 1
        return 1.0, 0.5


class Told(Unwatched):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)


@pytest.mark.parametrize(("step_s", "told"), [(0.001, 40), (0.1, 34), (0.25, 40)])
def test_ten_seconds_of_steps(step_s: float, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 10 s at most 40 times, and once more at the end; the device is waited for as often."""
    now = 0.0
    monkeypatch.setattr("resbench.training.reporting.time.perf_counter", lambda: now)
    watch, count = Told(), Counted(round(10 / step_s))
    reporter = Reporter(watch, ALONE, "train", Place(1, 1), count.batches)
    for _ in range(count.batches):
        count.done += 1
        now += step_s
        reporter.look(cast("Any", count))
    assert told - 2 <= len(watch.steps) <= 41
    assert count.reads == len(watch.steps)
    assert watch.steps[-1].done == count.batches
