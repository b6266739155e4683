"""An allocator that only counts: which blocks are alive, what for, and the most bytes that ever were. No torch."""

from collections import Counter
from enum import StrEnum
from typing import NewType


class Purpose(StrEnum):
    """What memory is for."""

    WEIGHTS = "weights"
    BUFFERS = "buffers"
    IMAGES = "images"
    GRADIENTS = "gradients"
    OPTIMIZER = "optimizer state"
    ACTIVATIONS = "saved activations"
    WORKSPACE = "workspace"
    """All that lives for a moment: outputs on their way, gradients of activations, temporary tensors."""


Block = NewType("Block", int)
"""A piece of memory; it is free again once nobody holds it."""


class Heap:
    """Counts bytes in blocks, each of which has one or more holders.

    Attributes:
        live: bytes in blocks that are held now, by purpose.
        peak: the most that all of `live` ever was.
        at_peak: `live` at that moment.
        peak_during: what ran then.
        now: what runs.
    """

    def __init__(self) -> None:
        self.live: Counter[Purpose] = Counter()
        self.peak = 0
        self.at_peak: Counter[Purpose] = Counter()
        self.peak_during = ""
        self.now = ""
        self._total = 0
        self._sizes: list[int] = []
        self._purposes: list[Purpose] = []
        self._holders: list[int] = []

    def allocate(self, size_B: int, purpose: Purpose = Purpose.WORKSPACE) -> Block:
        """Return a new block with one holder."""
        self._sizes.append(size_B)
        self._purposes.append(purpose)
        self._holders.append(1)
        self.live[purpose] += size_B
        self._total += size_B
        if self._total > self.peak:
            self.peak, self.at_peak, self.peak_during = self._total, self.live.copy(), self.now
        return Block(len(self._sizes) - 1)

    def hold(self, block: Block, purpose: Purpose | None = None) -> Block:
        """Note one more holder of a block that is alive, and what it is for from now on; return it."""
        assert self._holders[block]
        self._holders[block] += 1
        if purpose is not None:
            self.live[self._purposes[block]] -= self._sizes[block]
            self.live[purpose] += self._sizes[block]
            self._purposes[block] = purpose
        return block

    def release(self, block: Block) -> None:
        """Note one holder less; with the last one the block is free."""
        assert self._holders[block]
        self._holders[block] -= 1
        if not self._holders[block]:
            self.live[self._purposes[block]] -= self._sizes[block]
            self._total -= self._sizes[block]

    def holders(self, block: Block) -> int:
        """Return how many hold a block."""
        return self._holders[block]
