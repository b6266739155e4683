"""The scores of pictures from the scores of their views."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.training.crops import Batch, by_size
from resbench.training.protocols import Average

Call = Callable[[Tensor], Tensor]
"""Pictures (N, C, H, W) on the CPU to logits (N, K)."""


@torch.inference_mode()
def scores(call: Call, batch: Batch, average: Average, *, at_once: int) -> Tensor:
    """Return the scores of pictures, (B, K) in float32: the mean over each picture's views, each view counting the same.

    Of averaged probabilities the logarithm is returned, which ranks the same and is what a cross entropy takes.

    A picture seen whole gives the mean over all positions of the last features: global average pooling and a linear
    layer commute, so that pooling first is the dense prediction at each position, averaged.

    Args:
        call: the network.
        batch: the views.
        average: logits, or softmax probabilities.
        at_once: views in one call at most, where they differ in size; equal ones go through all at once.
    """
    if isinstance(batch, Tensor):
        found_NK = _scored(call, batch.flatten(0, 1), average)
        return _finished(found_NK.view(batch.shape[0], batch.shape[1], -1).mean(dim=1), average)
    sums_BK, counts_B = None, torch.zeros(len(batch))
    for images_NCHW, owners_N in by_size(batch):
        for views_NCHW, some_N in zip(images_NCHW.split(at_once), owners_N.split(at_once), strict=True):
            found_NK = _scored(call, views_NCHW, average)
            if sums_BK is None:
                sums_BK = found_NK.new_zeros(len(batch), found_NK.shape[1])
            sums_BK.index_add_(0, some_N.to(found_NK.device), found_NK)
            counts_B.index_add_(0, some_N, torch.ones(len(some_N)))
    if sums_BK is None:
        raise ValueError("a batch without pictures")
    return _finished(sums_BK / counts_B[:, None].to(sums_BK.device), average)


def _finished(mean_BK: Tensor, average: Average) -> Tensor:
    return mean_BK.log().float() if average is Average.PROBABILITIES else mean_BK


def _scored(call: Call, images_NCHW: Tensor, average: Average) -> Tensor:
    try:
        logits_NK = call(images_NCHW)
    except torch.OutOfMemoryError as error:
        raise ResbenchError(
            f"{len(images_NCHW)} views of {_size(images_NCHW)} do not fit the device's memory: "
            "give a smaller --batch-size"
        ) from error
    except RuntimeError as error:
        told = " ".join(str(error).split())[:160]
        raise UsageError(f"the network can't take pictures of {_size(images_NCHW)}: {told}") from error
    if not isinstance(logits_NK, Tensor) or logits_NK.dim() != 2:
        what = (
            "x".join(map(str, logits_NK.shape)) if isinstance(logits_NK, Tensor) else type(logits_NK).__name__
        )
        raise UsageError(
            f"the network's output is {what}: one score for each class of each picture is needed"
        )
    if average is Average.PROBABILITIES:
        return logits_NK.double().softmax(
            dim=1
        )  # in float32 the smallest would be zero, which has no logarithm
    return logits_NK.float()


def _size(images_NCHW: Tensor) -> str:
    return "x".join(map(str, images_NCHW.shape[2:]))


def check_dense(model: nn.Module) -> None:
    """Refuse a network whose scores of a whole picture are not the mean over positions.

    Raises:
        UsageError: its last pooling keeps a grid, as VGG's of 7x7, and the layers after it are for places in that grid.
    """
    for name, part in model.named_modules():
        if isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size not in {1, (1, 1)}:
            raise UsageError(
                f"whole pictures of any size need global average pooling before the last layer, and {name} of this "
                f"network pools to {part.output_size}: use --views center or ten_crop"
            )
