"""What other programs did while something was measured over minutes."""

import os
from collections.abc import Callable

from resbench.environment.cpu import usable_cores
from resbench.metrics.latency.disturbance import read, surroundings


def watch_others() -> Callable[[], float | None]:
    """Begin to watch what other programs do; what is returned says how many cores they kept busy since."""
    cores = usable_cores()
    before, spent = read(cores), _own_seconds()

    def found() -> float | None:
        return surroundings(before, read(cores), _own_seconds() - spent).foreign_cores

    return found


def _own_seconds() -> float:
    """Return the CPU time of this process, and of those it started that have ended: they prepared pictures."""
    return sum(os.times()[:4])
