"""Several runs in turns on one device: a small network leaves most of a big GPU idle, and another's step fits in.

Each run is what `resbench.training.loop.steps` returns: it pauses after each batch, and is on its own otherwise, so that
its result is that of the same run alone. On a GPU each has a stream of its own, and the kernels of one run beside those of
another; on a CPU turns save nothing (`resbench.execution.together` gives each run a process there).
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How one of the runs ended: with a value, or with an error that is its own matter."""

    value: T | None = None
    error: Exception | None = None


def together(journeys: Sequence[Generator[object, None, T]], device: torch.device) -> tuple[Ended[T], ...]:
    """Let each run take a step in turn until all are over, and return how each ended, in their order.

    The failure of one ends no other. Whoever interrupts (KeyboardInterrupt) closes them all.
    """
    ends: dict[int, Ended[T]] = {}
    try:
        with _lanes(len(journeys), device) as lanes:
            while len(ends) < len(journeys):
                for number, journey in enumerate(journeys):
                    if number not in ends and (end := _step(journey, lanes[number])) is not None:
                        ends[number] = end
    finally:
        for journey in journeys:
            journey.close()
    return tuple(ends[number] for number in range(len(journeys)))


def _step(journey: Generator[object, None, T], lane: "torch.cuda.Stream | None") -> Ended[T] | None:
    """Take one step on a stream; return how the run ended, if it did."""
    with nullcontext() if lane is None else torch.cuda.stream(lane):
        try:
            next(journey)
        except StopIteration as end:
            return Ended(value=end.value)
        except Exception as error:  # noqa: BLE001 - it is given to whoever asked for the runs
            return Ended(error=error)
    return None


@contextmanager
def _lanes(count: int, device: torch.device) -> Iterator[Sequence["torch.cuda.Stream | None"]]:
    """Yield a stream for each run: on a CPU there is none. They begin after, and end before, what goes on around them."""
    if device.type != "cuda":
        yield [None] * count
        return
    around = torch.cuda.current_stream(device)
    lanes = [torch.cuda.Stream(device) for _ in range(count)]
    for lane in lanes:
        lane.wait_stream(around)
    try:
        yield lanes
    finally:
        for lane in lanes:
            around.wait_stream(lane)
