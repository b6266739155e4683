"""Three clocks, each with its name, because the same call has three durations.

*Latency* is one call from an idle device to an idle device: what somebody waits. *Device time* is how long the device
was busy with it (see `device_time`). *Throughput* counts calls back to back, synchronised only at the end of a round.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

LEAD_IN_CALLS = 1
"""Calls before the first one that counts: a process that waited finds caches and threads asleep."""


class Clock(StrEnum):
    """What a duration stands for."""

    LATENCY = "latency"
    """One synchronised call, end to end."""
    DEVICE = "device_time"
    """The time in which the device was busy with one call."""
    THROUGHPUT = "throughput"
    """Calls back to back, synchronised at the end of a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopwatch:
    """What time is read from.

    Attributes:
        clock: seconds, monotonic.
        synchronise: returns when the device has finished all it was given; nothing to do on a CPU.
    """

    clock: Callable[[], float] = time.perf_counter
    synchronise: Callable[[], object] = lambda: None

    def seconds(self, call: Callable[[], object], times: int = 1) -> float:
        """Return the time of `times` calls back to back, from an idle device to an idle device."""
        self.synchronise()
        begin = self.clock()
        for _ in range(times):
            call()
        self.synchronise()
        return self.clock() - begin


class Round(NamedTuple):
    """Some calls back to back, and the seconds that they took together."""

    calls: int
    seconds: float


def single_calls(
    call: Callable[[], object],
    stopwatch: Stopwatch,
    *,
    seconds: float,
    calls_at_least: int = 1,
    lead_in: int = LEAD_IN_CALLS,
) -> list[float]:
    """Return the latencies of calls in a row, until there are enough of them and they took so many seconds.

    Args:
        call: what is timed.
        stopwatch: what time is read from.
        seconds: the calls that count take at least as long together ...
        calls_at_least: ... and are at least as many.
        lead_in: calls before them that do not count.
    """
    for _ in range(lead_in):
        stopwatch.seconds(call)
    found: list[float] = []
    spent = 0.0
    while len(found) < calls_at_least or spent < seconds:
        found.append(stopwatch.seconds(call))
        spent += found[-1]
    return found


def back_to_back(
    call: Callable[[], object],
    stopwatch: Stopwatch,
    *,
    seconds: float,
    call_s: float,
    lead_in: int = LEAD_IN_CALLS,
) -> Round:
    """Time one round of calls that are not waited for one by one.

    Args:
        call: what is timed.
        stopwatch: what time is read from.
        seconds: about how long the round lasts; at least one call.
        call_s: about how long one call takes, from which the number of calls follows.
        lead_in: calls before the round that do not count.
    """
    times = max(1, math.ceil(seconds / call_s)) if call_s > 0 else 1
    if lead_in:
        stopwatch.seconds(call, lead_in)
    return Round(calls=times, seconds=stopwatch.seconds(call, times))
