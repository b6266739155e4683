"""Can a network learn one batch by heart? One that can't has a fault that no recipe mends."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from resbench.models.precision import autocast
from resbench.specs import Precision, Recipe
from resbench.training.losses import per_sample
from resbench.training.optimizers import make_optimizer

SHARE = 0.01
"""The loss must fall below this share of ln(classes), the loss of a network that knows nothing."""

_LOOK = 5
"""Steps between two looks at the loss: each waits for the device."""


class Overfit(NamedTuple):
    """What became of the attempt.

    Attributes:
        steps: that were trained.
        first, last: the loss before the first step, and the last that was seen.
        threshold: that the loss had to fall below.
        stuck: parameters that no gradient, or one of zeros alone, reached in the first step.
    """

    steps: int
    first: float
    last: float
    threshold: float
    stuck: tuple[str, ...]

    @property
    def learned(self) -> bool:
        """Whether the network knows the batch by heart."""
        return self.last < self.threshold


def threshold_of(classes: int) -> float:
    """Return the loss that counts as known by heart."""
    return SHARE * math.log(max(2, classes))


def overfit(
    model: nn.Module,
    recipe: Recipe,
    batch: tuple[Tensor, Tensor],
    *,
    threshold: float,
    steps: int,
    precision: Precision = Precision.FP32,
    tell: Callable[[int, float, float], bool],
) -> Overfit:
    """Train on one batch, at the recipe's learning rate throughout, until the loss is below the threshold.

    Args:
        model: on its device, initialised; trained in place, batch norm by the batch's own statistics.
        recipe: gives optimiser and loss.
        batch: the same one in every step.
        threshold: the loss to fall below.
        steps: at most this many.
        precision: of the forward pass; fp16 would need its loss scaled.
        tell: is told steps, loss and top-1 share now and then; returns whether to give up.
    """
    images_BCHW, labels_B = batch
    optimizer = make_optimizer(model, recipe.optimizer)
    model.train()
    first = last = math.nan
    stuck: tuple[str, ...] = ()
    for done in range(steps + 1):
        with autocast(precision, images_BCHW.device):
            logits_BK = model(images_BCHW)
        loss = per_sample(recipe.loss, logits_BK.float(), labels_B).mean()
        if done == 0 or done % _LOOK == 0 or done == steps:
            last = loss.item()
            first = last if done == 0 else first
            gave_up = tell(done, last, (logits_BK.argmax(dim=1) == labels_B).double().mean().item())
            if not math.isfinite(last) or last < threshold or gave_up or done == steps:
                return Overfit(done, first, last, threshold, stuck)
        if not loss.requires_grad:
            return Overfit(done, first, last, threshold, tuple(name for name, _ in model.named_parameters()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if done == 0:
            stuck = _without_gradient(model)
        optimizer.step()
    raise AssertionError("the last step returns")


def _without_gradient(model: nn.Module) -> tuple[str, ...]:
    return tuple(
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not torch.any(parameter.grad))
    )
