"""A roof, what it says of a layer, and of a whole: bound, attainable time, achieved share. No torch.

Source:
    Williams, Waterman, Patterson (2009): Roofline: an insightful visual performance model for multicore architectures.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from resbench.metrics.roofline.bytes import Cost

MFU_CONVENTION = "core MACs x 2 over peak: no bias, no batch norm, no activation, nothing recomputed"
TRAINING_MFU_CONVENTION = "core MACs x 2, of the forward and of the backward pass, over peak: no bias, no batch norm, no activation, no optimiser"


class Bound(StrEnum):
    """What a layer waits for at best."""

    COMPUTE = "compute"
    MEMORY = "memory"
    NOTHING = "nothing"
    """It computes nothing and moves nothing."""
    UNKNOWN = "unknown"
    """Its operations could not be told."""


class Roof(NamedTuple):
    """What a machine can do at best, in one precision.

    Attributes:
        peak: FLOP/s.
        bandwidth: B/s, reading and writing together.
    """

    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """Intensity, in FLOP/B, from which on computing takes longer than moving."""
        return self.peak / self.bandwidth

    def attainable(self, intensity: float) -> float:
        """Return the FLOP/s that are possible at an intensity."""
        return min(self.peak, self.bandwidth * intensity)


def bound_of(cost: Cost, roof: Roof) -> Bound:
    """Return what a layer waits for under a roof; exactly at the ridge it is compute."""
    if not cost.priced:
        return Bound.UNKNOWN
    if not (cost.moved or cost.flops):
        return Bound.NOTHING
    return Bound.COMPUTE if cost.flops * roof.bandwidth >= roof.peak * cost.moved else Bound.MEMORY


def attainable_s(cost: Cost, roof: Roof) -> float:
    """Return the time that a layer takes at least under a roof."""
    return max(cost.flops / roof.peak, cost.moved / roof.bandwidth)


def total_s(costs: Iterable[Cost], roof: Roof) -> float:
    """Return the time that layers take at least, one after the other."""
    return sum(attainable_s(cost, roof) for cost in costs)


def flops_utilisation(core_macs: int, seconds: float, peak: float) -> float:
    """Return the share of a peak that a network's products reach (MFU, by `MFU_CONVENTION`).

    Args:
        core_macs: of all pictures that were done in that time.
        seconds: the time.
        peak: FLOP/s.
    """
    return 2 * core_macs / seconds / peak
