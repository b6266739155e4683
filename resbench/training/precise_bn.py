"""Precise batch norm: the statistics of test time taken anew from many pictures, with the weights as they are now.

The running averages of training lag behind the weights and rest on the last few batches. Here mean and variance of each
batch norm's input are those of all pictures shown to it: means of means, and the law of total variance (the mean of
the variances plus the variance of the means), weighted by how many values each batch has.

Source: Wu and Johnson, Rethinking "Batch" in BatchNorm (2021), section 3.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from resbench.errors import UsageError

Inputs = Literal["batch", "population"]
"""How the batch norms *before* one normalise while its statistics are taken.

`batch`: by each batch's own, as in training; one pass over the batches, as Wu and Johnson have it.
`population`: by the statistics found before, as at test time; one pass for each batch norm, and exactly what one batch
of all pictures gives.
"""

_NONE = "precise batch norm needs at least one batch of pictures"


@dataclass(slots=True)
class Statistics:
    """Mean and variance of each channel over all values seen so far; the variance divides by the count."""

    count: int
    mean_C: Tensor
    variance_C: Tensor

    def add(self, values_BCx: Tensor) -> None:
        """Take in a batch: what was seen and what is new are two parts of one population."""
        new = values_BCx.numel() // values_BCx.shape[1]
        dims = [dim for dim in range(values_BCx.dim()) if dim != 1]
        variance_C, mean_C = torch.var_mean(values_BCx.detach().float(), dims, correction=0)
        share = new / (self.count + new)
        apart_C = mean_C.double() - self.mean_C
        self.mean_C = self.mean_C + share * apart_C
        within_C = (1 - share) * self.variance_C + share * variance_C.double()
        self.variance_C = within_C + share * (1 - share) * apart_C.square()
        self.count += new


@torch.no_grad()
def recompute(model: nn.Module, batches: Iterable[Tensor], *, inputs: Inputs = "batch") -> int:
    """Give each batch norm with running statistics those of all the pictures in `batches`.

    Nothing else of the network changes; dropout is off meanwhile. The caller enters autocast where that is wanted. In
    several processes each takes its own statistics.

    Args:
        model: on the device of the pictures.
        batches: of pictures, (B, C, H, W). They are gone through once, or with `inputs="population"` once for each
            batch norm, so that it must be possible to go through them again.
        inputs: see `Inputs`.

    Returns:
        How many pictures were seen.

    Raises:
        UsageError: there is no picture.
    """
    norms = [part for part in model.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    if inputs == "batch":
        return _pass(model, norms, batches)
    pictures = 0
    for norm in _in_order(model, norms, batches):
        pictures = _pass(model, [norm], batches)
    return pictures


def _pass(model: nn.Module, norms: list[_BatchNorm], batches: Iterable[Tensor]) -> int:
    pictures = 0
    with _gathered(norms) as found, _modes(model, norms):
        for images_BCHW in batches:
            model(images_BCHW)
            pictures += len(images_BCHW)
    if not pictures:
        raise UsageError(_NONE)
    for norm, statistics in found.items():
        if statistics.count and norm.running_mean is not None and norm.running_var is not None:
            norm.running_mean.copy_(statistics.mean_C)
            norm.running_var.copy_(statistics.variance_C)
    return pictures


def _in_order(model: nn.Module, norms: list[_BatchNorm], batches: Iterable[Tensor]) -> list[_BatchNorm]:
    """Return the batch norms in the order in which the network comes to them, those that it never uses left out."""
    images_BCHW = next(iter(batches), None)
    if images_BCHW is None:
        raise UsageError(_NONE)
    called: dict[_BatchNorm, None] = {}
    hooks = [norm.register_forward_pre_hook(lambda norm, _: called.setdefault(norm)) for norm in norms]
    try:
        with _modes(model, []):
            model(images_BCHW[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return list(called)


@contextmanager
def _gathered(norms: list[_BatchNorm]) -> Iterator[dict[_BatchNorm, Statistics]]:
    found = {norm: _nothing_seen(norm) for norm in norms}
    hooks = [norm.register_forward_pre_hook(lambda norm, given: found[norm].add(given[0])) for norm in norms]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _nothing_seen(norm: _BatchNorm) -> Statistics:
    device = None if norm.running_mean is None else norm.running_mean.device
    zeros_C = torch.zeros(norm.num_features, dtype=torch.float64, device=device)
    return Statistics(count=0, mean_C=zeros_C, variance_C=zeros_C.clone())


@contextmanager
def _modes(model: nn.Module, normalising: list[_BatchNorm]) -> Iterator[None]:
    """Evaluation mode but for `normalising`, which use batch statistics and leave their running ones alone."""
    training = {part: part.training for part in model.modules()}
    tracked = {norm: norm.track_running_stats for norm in normalising}
    model.eval()
    kept = {norm: (norm.running_mean, norm.running_var) for norm in normalising}
    for norm in normalising:
        # Without running statistics a batch norm uses the batch's, in either mode, and counts nothing.
        norm.track_running_stats, norm.running_mean, norm.running_var = False, None, None
    try:
        yield
    finally:
        for part, was in training.items():
            part.training = was
        for norm, (mean_C, variance_C) in kept.items():
            norm.track_running_stats = tracked[norm]
            norm.running_mean, norm.running_var = mean_C, variance_C
