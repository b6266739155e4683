"""What takes torch.distributed: gradients averaged over processes, batch norm over all of a batch, the connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

_GONE = (
    "connection closed",
    "connection reset",
    "broken pipe",
    "timed out",
    "timeout",
    "connectfull",
    "gloo",
)
"""Parts of what the libraries say when another process does not answer."""


def averaged(model: nn.Module, device: torch.device, size: int) -> nn.Module:
    """Return the model with its gradients averaged over the processes at each `backward`.

    Buffers are those of the leading process at the start of each forward pass. The buckets in which gradients travel
    stay what they are at the start (`find_unused_parameters`): those that DDP makes anew after a run's first step would
    add up three processes' gradients in another order after a resumption, and so change their last bits. Two numbers
    have one order.
    """
    return DistributedDataParallel(
        model,
        device_ids=[device] if device.type == "cuda" else None,
        find_unused_parameters=size > 2,
    )


def synchronise(model: nn.Module, device: torch.device) -> None:
    """Put batch norm over all processes in the place of each batch norm within the model.

    On a GPU it is PyTorch's, which has no CPU form; elsewhere `SynchronisedBatchNorm2d`.
    """
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, _over_all(child))


def _over_all(norm: nn.BatchNorm2d) -> "SynchronisedBatchNorm2d":
    twin = SynchronisedBatchNorm2d(
        norm.num_features,
        norm.eps,
        norm.momentum,
        affine=norm.affine,
        track_running_stats=norm.track_running_stats,
    )
    twin.train(norm.training)
    for name, parameter in norm.named_parameters(recurse=False):
        setattr(twin, name, parameter)
    for name, buffer in norm.named_buffers(recurse=False):
        setattr(twin, name, buffer)
    return twin


class SynchronisedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose training statistics are those of the samples of all processes, with any backend.

    Ioffe & Szegedy 2015, Algorithm 1, over the whole batch: mean and variance take one sum over the processes each (the
    variance around the mean, not from a sum of squares, which loses digits). The running variance is the unbiased one.
    """

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return the batch normalised, of the same shape and type."""
        if not self.training:
            return super().forward(images_BCHW)
        x_BCHW = images_BCHW.float()
        sums_C = x_BCHW.sum(dim=(0, 2, 3))
        count_1 = sums_C.new_full((1,), x_BCHW.numel() / x_BCHW.shape[1])
        sums = _total(torch.cat([sums_C, count_1]))
        count = sums[-1].detach()
        mean_C = sums[:-1] / count
        centred_BCHW = x_BCHW - mean_C[:, None, None]
        variance_C = _total(centred_BCHW.square().sum(dim=(0, 2, 3))) / count
        self._remember(mean_C.detach(), variance_C.detach() * (count / (count - 1).clamp_min(1)))
        y_BCHW = centred_BCHW * torch.rsqrt(variance_C + self.eps)[:, None, None]
        if self.affine:
            y_BCHW = y_BCHW * self.weight[:, None, None] + self.bias[:, None, None]
        return y_BCHW.to(images_BCHW.dtype)

    @torch.no_grad()
    def _remember(self, mean_C: Tensor, variance_C: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean_C, weight)
        self.running_var.lerp_(variance_C, weight)


class _Total(torch.autograd.Function):
    """The sum over the processes; each one's gradient is the sum of all the gradients of that sum."""

    @staticmethod
    def forward(_context: Any, tensor: Tensor) -> Tensor:
        summed = tensor.clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].contiguous().clone()
        distributed.all_reduce(summed)
        return summed


def _total(tensor: Tensor) -> Tensor:
    summed: Tensor = _Total.apply(tensor)
    return summed


@contextmanager
def connected(rank: int, size: int, *, backend: str, init_method: str, patience: timedelta) -> Iterator[None]:
    """Be process `rank` of `size` inside the block; what lies in main memory goes through gloo always."""
    distributed.init_process_group(
        "gloo" if backend == "gloo" else f"cpu:gloo,cuda:{backend}",
        init_method=init_method,
        rank=rank,
        world_size=size,
        timeout=patience,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def other_ended(error: RuntimeError) -> bool:
    """Return whether an error of a collective says that another process is gone, or is not heard of."""
    if isinstance(error, distributed.DistError):
        return True
    return any(sign in str(error).lower() for sign in _GONE)
