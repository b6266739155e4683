"""The processes that share one training run: who takes which samples, and how they agree.

The batch is the recipe's whatever their number: each takes its share of it, and the gradient of a step is that of the
mean over the whole batch. `torch.distributed` is imported only where there is more than one.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.training.meeting import RENDEZVOUS, started

_PATIENCE_S = 1800.0
"""How long one waits for another: the leading one may be preparing pictures, or writing a checkpoint."""

BatchNorm = Literal["per_process", "synchronised"]


class Deserted(ResbenchError):  # noqa: N818 - it is the others who left
    """Another process of the run ended, or was not heard of."""


@dataclass(frozen=True, slots=True)
class World:
    """The processes of one run, as one of them sees them.

    Attributes:
        rank: which one this is, from 0.
        size: how many there are.
        local: which one of its machine this is: its GPU, where each has one.
    """

    rank: int
    size: int
    local: int = 0

    @property
    def lead(self) -> bool:
        """Whether this process is the one that writes and shows."""
        return self.rank == 0

    def device(self, asked: torch.device) -> torch.device:
        """Return this process's own device: of several on GPUs, the one of those it sees that has its number.

        The experiment names one device for all of them, so that all ask the same question and find the same checkpoints.
        """
        if self.size == 1 or asked.type != "cuda":
            return asked
        return torch.device("cuda", self.local % torch.cuda.device_count())

    def share(self, batch: Sequence[int]) -> Sequence[int]:
        """Return this process's part of a training batch: contiguous, and no two parts differ by more than one."""
        least, more = divmod(len(batch), self.size)
        start = self.rank * least + min(self.rank, more)
        return batch[start : start + least + (self.rank < more)]

    def turns(self, batches: int) -> range:
        """Return which whole batches of an evaluation are this process's: each is exactly one's.

        A whole batch gives the bits that it gives in a run of one process; part of one need not.
        """
        return range(self.rank, batches, self.size)

    def check(self, samples: int, batch: int) -> None:
        """See that every batch of an epoch has a sample for every process.

        Raises:
            UsageError: one has not.
        """
        last = samples % batch or batch
        smallest = min(last, batch) if samples > batch else samples
        if smallest < self.size:
            raise UsageError(
                f"a batch of {smallest} can't be split over {self.size} processes ({samples:,} samples in batches of "
                f"{batch}): choose fewer processes, or another batch size"
            )

    def loss_weight(self, local: int, whole: int) -> float:
        """Return what the mean loss of this process's `local` samples is multiplied by before `backward`.

        The gradients are averaged over the processes, and then are those of the mean over the `whole` batch.
        """
        return self.size * local / whole

    def total(self, tensor: Tensor) -> Tensor:
        """Return the sum over the processes; every one must ask, and all get the same."""
        if self.size == 1:
            return tensor
        from torch import distributed

        summed = tensor.detach().clone()
        distributed.all_reduce(summed)
        return summed

    def agree(self, flag: bool) -> bool:
        """Return whether any process says yes; every one must ask, and all get the same answer.

        It goes through the processors alone, so that no device is waited for.
        """
        if self.size == 1:
            return flag
        from torch import distributed

        answer = torch.tensor([int(flag)])
        distributed.all_reduce(answer, op=distributed.ReduceOp.MAX)
        return bool(answer.item())

    def wrap(self, model: nn.Module, device: torch.device, batch_norm: BatchNorm) -> nn.Module:
        """Return what the training step calls: the model itself, or the model with its gradients averaged.

        The parameters are the model's own, so that it is the model that is tested and saved. Synchronised batch norm
        takes the place of the model's layers in the model itself, with their parameters and statistics.
        """
        if self.size == 1:
            return model
        from resbench.training.distributed import averaged, synchronise

        if batch_norm == "synchronised":
            synchronise(model, device)
        return averaged(model, device, self.size)

    def level(self, model: nn.Module) -> None:
        """Give every process the buffers of the leading one: with batch norm per process, its statistics are kept.

        To be called between training and a test; in training they are given out at each step.
        """
        if self.size == 1:
            return
        from torch import distributed

        for buffer in model.buffers():
            distributed.broadcast(buffer, src=0)


ALONE = World(0, 1)
"""A run of one process."""


@contextmanager
def joined(backend: str | None = None, *, patience_s: float = _PATIENCE_S) -> Iterator[World]:
    """Join the processes that torchrun, or we, have started, for as long as the block lasts.

    Args:
        backend: for what is on the GPU, `nccl`; None: where there is a GPU, that. The rest goes through gloo.
        patience_s: how long one process waits for another.

    Raises:
        Deserted: another one ended, or was not heard of for so long.
    """
    size = started()
    if size == 1:
        yield ALONE
        return
    from resbench.training.distributed import connected, other_ended

    world = World(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))
    where = os.environ.get(RENDEZVOUS)
    if torch.cuda.is_available():
        # One that we started for a GPU of its own sees that alone.
        torch.cuda.set_device(world.local % torch.cuda.device_count())
    with connected(
        world.rank,
        size,
        backend=backend or ("nccl" if torch.cuda.is_available() else "gloo"),
        init_method="env://" if where is None else f"file://{where}",
        patience=timedelta(seconds=patience_s),
    ):
        try:
            yield world
        except RuntimeError as error:
            if not other_ended(error):
                raise
            raise Deserted(
                f"process {world.rank + 1} of {size} stopped: another process of this run ended or did not answer; "
                "the same command goes on from the last checkpoint"
            ) from error
