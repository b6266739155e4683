"""Device time: how long the device is busy with one call, by three methods, each named in its result.

On a GPU a captured graph is replayed between two events, so that no gap between launches is in it; where a call can't
be captured, two events stand around it on a queue that was drained, and the gaps are. On a CPU the profiler's times of
all operators are added up, less what one costs that does nothing: what is left of a call is Python and dispatch.
"""

import statistics
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

GRAPH = "CUDA graph replayed between two events"
EVENTS = "CUDA events around one call on a drained queue; gaps between launches are in it"
OPERATORS = "profiler: time in operators, less that of as many that do nothing"


_NOTHINGS = 100
_MARK = "resbench: call"


class DeviceTime(NamedTuple):
    """The device's busy time of single calls, and how it was found."""

    samples_s: list[float]
    method: str


class Queue(Protocol):
    """A device's queue with markers in it; `CudaQueue` is the real one, tests have their own."""

    def mark(self) -> Any:
        """Put a marker into the queue and return it."""

    def seconds(self, begin: Any, end: Any) -> float:
        """Return the time between two markers that were passed."""

    def drain(self) -> None:
        """Return when all that was given is done."""

    def captured(self, call: Callable[[], object]) -> Callable[[], object] | None:
        """Return the replay of a call's work as one launch; None where it can't be captured."""


def on_queue(call: Callable[[], object], queue: Queue, calls: int) -> DeviceTime:
    """Return the device time of calls on a queue, by replay where that is possible."""
    replay = queue.captured(call)
    timed = replay or call
    timed()
    samples = []
    for _ in range(calls):
        queue.drain()
        begin = queue.mark()
        timed()
        end = queue.mark()
        queue.drain()
        samples.append(queue.seconds(begin, end))
    return DeviceTime(samples, GRAPH if replay else EVENTS)


def on_cpu(call: Callable[[], object], calls: int) -> DeviceTime:
    """Return the time that a call spends in the work of its operators, from the profiler."""
    import torch

    def nothing() -> None:
        for _ in range(_NOTHINGS):
            torch.empty(0)

    nothing_s = statistics.median(_self_seconds(nothing, 1)[0])
    return DeviceTime([working_seconds(each, nothing_s) for each in _self_seconds(call, calls)], OPERATORS)


def working_seconds(operators_s: Iterable[float], nothing_s: float) -> float:
    """Return the seconds of operators, each without those of the ones it calls, beyond what doing nothing costs each."""
    return sum(max(0.0, operator_s - nothing_s) for operator_s in operators_s)


def _self_seconds(call: Callable[[], object], calls: int) -> list[list[float]]:
    """Return for each call the time of each operator without that of the operators it calls (the profiler says us).

    The first call, in which the profiler and the caches start up, is left out.
    """
    from torch.profiler import ProfilerActivity, profile, record_function

    # Some versions warn of events that are lost from one cycle to the next; here there is one cycle.
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        for _ in range(calls + 1):
            with record_function(_MARK):
                call()
    found: list[list[float]] = []
    # Events come in the order in which they began: those after a mark are its own. (Backward passes have no parent.)
    for event in sorted(profiler.events() or (), key=lambda event: event.time_range.start):
        if event.name == _MARK:
            found.append([])
        elif found:
            found[-1].append(event.self_cpu_time_total / 1e6)
    return found[1:]


class CudaQueue:
    """The current stream of a CUDA device."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def mark(self) -> Any:
        """Put an event into the stream."""
        import torch

        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def seconds(self, begin: Any, end: Any) -> float:
        """Return the time between two events."""
        return float(begin.elapsed_time(end)) / 1e3

    def drain(self) -> None:
        """Wait for the device."""
        import torch

        torch.cuda.synchronize(self._device)

    def captured(self, call: Callable[[], object]) -> Callable[[], object] | None:
        """Capture a call, after warming it up on a side stream as a capture demands; None where that fails."""
        import torch

        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.device(self._device):
                side = torch.cuda.Stream()
                side.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(side):
                    call()
                torch.cuda.current_stream().wait_stream(side)
                with torch.cuda.graph(graph):
                    call()
        except RuntimeError:  # an operator that waits for the device, or memory that does not suffice twice
            self.drain()
            return None
        replay: Callable[[], object] = graph.replay
        return replay
