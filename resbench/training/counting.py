"""What a pass over the samples found so far: one row of sums for each batch, on the device until somebody asks."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from resbench.results import Pass
from resbench.training.world import World

EXPLODED = 1e5
"""A batch's mean loss beyond which nothing trains any more: guessing has the logarithm of the number of classes."""


def sums_of(losses_B: Tensor, logits_BK: Tensor, labels_B: Tensor) -> Tensor:
    """Return the sums over a batch, float64 (3,): losses, classes ranked first, classes among the first five."""
    ranked_Bk = logits_BK.detach().topk(min(5, logits_BK.shape[1]), dim=1).indices
    right_Bk = ranked_Bk == labels_B[:, None]
    counts_2 = torch.stack((right_Bk[:, 0].sum(), right_Bk.sum()))
    return torch.cat((losses_B.detach().sum(dtype=torch.float64)[None], counts_2.double()))


class Counted(NamedTuple):
    """A pass as a checkpoint holds it: the sums of the batches done, and the seconds they took."""

    rows: tuple[tuple[float, ...], ...]
    seconds: float


class Count:
    """Counts one pass of batches of known sizes; adding one neither waits for the device nor allocates.

    Attributes:
        sizes: of the whole batches, over all processes.
        done: batches counted.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        device: torch.device,
        before: Counted | None = None,
        *,
        lead: bool = True,
    ) -> None:
        self.sizes = list(sizes)
        self._rows_N3 = torch.zeros((len(sizes), 3), dtype=torch.float64, device=device)
        self.done = 0
        self._spent_s, self._since = 0.0, time.perf_counter()
        self._looked = 0
        if before is not None:
            self.done = len(before.rows)
            self._spent_s = before.seconds
            if before.rows and lead:  # what all processes found together is counted once
                self._rows_N3[: self.done] = torch.tensor(before.rows, dtype=torch.float64)

    def add(self, sums_3: Tensor) -> None:
        """Count the next batch, of which `sums_of` found this."""
        self._rows_N3[self.done].copy_(sums_3)
        self.done += 1

    def skip(self) -> None:
        """Leave the next batch to another process."""
        self.done += 1

    @property
    def complete(self) -> bool:
        """Whether every batch was counted."""
        return self.done == len(self.sizes)

    @property
    def samples(self) -> int:
        """How many samples were counted."""
        return sum(self.sizes[: self.done])

    @property
    def seconds(self) -> float:
        """How long the pass took, over all sessions that worked on it."""
        return self._spent_s + time.perf_counter() - self._since

    def latest(self) -> tuple[float, float]:
        """Return the mean loss and the top-1 share of the batches since the last look (waits for the device)."""
        first = min(self._looked, max(0, self.done - 1))
        sums = self._rows_N3[first : self.done].sum(dim=0).tolist()
        count = max(1, sum(self.sizes[first : self.done]))
        self._looked = self.done
        return sums[0] / count, sums[1] / count

    def first_bad(self) -> int | None:
        """Return the first batch, from 0, whose loss is no number or exploded (waits for the device)."""
        losses_N = self._rows_N3[: self.done, 0].cpu()
        sizes_N = torch.tensor(self.sizes[: self.done], dtype=torch.float64)
        bad_N = ~((losses_N / sizes_N).abs() <= EXPLODED)
        return int(bad_N.nonzero()[0]) if bad_N.any() else None

    def counted(self, world: World) -> Counted:
        """Return what a checkpoint holds, over all processes (waits for the device)."""
        return Counted(tuple(map(tuple, world.total(self._rows_N3[: self.done]).tolist())), self.seconds)

    def finish(self, world: World) -> Pass:
        """Return what the pass found, over all processes (waits for the device)."""
        rows_N3 = world.total(self._rows_N3[: self.done]).cpu()
        sizes_N1 = torch.tensor(self.sizes[: self.done], dtype=torch.float64)[:, None]
        loss, top1, top5 = (rows_N3.sum(dim=0) / sizes_N1.sum()).tolist()
        loss_of_batches, top1_of_batches, top5_of_batches = (rows_N3 / sizes_N1).mean(dim=0).tolist()
        return Pass(
            loss=loss,
            loss_of_batches=loss_of_batches,
            top1=top1,
            top5=top5,
            top1_of_batches=top1_of_batches,
            top5_of_batches=top5_of_batches,
            samples=self.samples,
            seconds=self.seconds,
        )
