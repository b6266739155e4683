"""The pace of the machine: how long a fixed piece of work takes, timed between the rounds of what is measured.

A core that is shared with other virtual machines, or whose clock follows its heat, is slower for seconds or minutes, and
nothing in the guest's counters shows it. Whatever is timed meanwhile is slower by nearly the same factor, and so is this
piece of work. Dividing by it takes the drift out; multiplying by the pace that the machine was found to have (`resbench
noise`) brings figures of different minutes to the same footing.
"""

from collections.abc import Callable
from functools import cache

from resbench.metrics.latency.clocks import Stopwatch

LEAD_IN_CALLS = 1
"""The first call wakes threads that slept, and does not count."""
_CHANNELS, _SIDE = 128, 28


@cache
def reference_work() -> Callable[[], object]:
    """Return the piece of work: a 3x3 convolution over 128 channels of 28x28, 116 million MACs, in float32.

    It is what residual networks spend their time on, small enough to lie between two calls, and runs with the threads of
    this process.
    """
    import torch
    from torch import nn

    convolution = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1)
    images_BCHW = torch.randn(1, _CHANNELS, _SIDE, _SIDE)

    def work() -> object:
        with torch.inference_mode():
            return convolution(images_BCHW)

    return work


def pace(work: Callable[[], object], stopwatch: Stopwatch, seconds: float) -> list[float]:
    """Return durations of the work, one after another, until they took `seconds` together; one at least."""
    for _ in range(LEAD_IN_CALLS):
        work()
    found: list[float] = []
    while not found or sum(found) < seconds:
        found.append(stopwatch.seconds(work))
    return found
