"""The range of learning rates that a network can be trained at (Smith 2017, "Cyclical Learning Rates", section 3.3).

The rate rises from step to step by one factor, from one that changes nothing to one that breaks the training; the loss
is watched meanwhile. Two readings are taken from the smoothed loss: where it fell fastest against the logarithm of
the rate, and where it had risen so far above its least that the training had diverged.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.specs import Recipe
from resbench.training.losses import per_sample
from resbench.training.optimizers import make_optimizer

SMOOTHING = 0.9
"""Weight of what was in the running mean of the loss; the mean is corrected for its start, as Adam's are."""
DIVERGED = 4.0
"""The training has diverged where the smoothed loss is this many times its least."""
_SETTLED = 5
"""Steps before the running mean means anything."""


class Point(NamedTuple):
    """One step of a sweep: its learning rate, its loss, and the running mean of the losses so far."""

    rate: float
    loss: float
    smoothed: float


class Sweep(NamedTuple):
    """What a sweep found.

    Attributes:
        points: each step up to the one in which the training diverged, or the last.
        steepest: the rate at which the smoothed loss fell fastest; None where it never fell.
        lowest: the rate at which the smoothed loss was least.
        diverged: the rate at which the training had diverged; None where it did not.
    """

    points: tuple[Point, ...]
    steepest: float | None
    lowest: float
    diverged: float | None


def rates_of(first: float, last: float, steps: int) -> tuple[float, ...]:
    """Return `steps` rates from `first` to `last`, each the one before times one factor.

    Raises:
        UsageError: the rates do not rise, or there are too few steps to read anything from.
    """
    if not 0 < first < last < math.inf:
        raise UsageError(f"the rates must rise from above 0: found {first:g} to {last:g}")
    if steps < 2 * _SETTLED:
        raise UsageError(f"a sweep needs at least {2 * _SETTLED} steps, found {steps}")
    return tuple(first * (last / first) ** (index / (steps - 1)) for index in range(steps))


def sweep(step: Callable[[float], float], rates: tuple[float, ...], tell: Callable[[Point], None]) -> Sweep:
    """Train one step at each rate until the training diverges.

    Args:
        step: trains one step at a rate and returns the loss before it.
        rates: in rising order.
        tell: is told of each point.
    """
    points: list[Point] = []
    mean, least = 0.0, math.inf
    for number, rate in enumerate(rates, start=1):
        loss = step(rate)
        if not math.isfinite(loss):
            return _read(points, diverged=rate)
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        points.append(Point(rate, loss, mean / (1 - SMOOTHING**number)))
        tell(points[-1])
        if number > _SETTLED:
            least = min(least, points[-1].smoothed)
        if points[-1].smoothed > DIVERGED * least:
            return _read(points, diverged=rate)
    return _read(points, diverged=None)


def find_learning_rates(
    model: nn.Module,
    recipe: Recipe,
    batches: Iterator[tuple[Tensor, Tensor]],
    rates: tuple[float, ...],
    tell: Callable[[Point], None],
) -> Sweep:
    """Sweep over a network on its device, with the recipe's optimiser and loss; its weights end as they were.

    Args:
        model: in the state from which it would be trained.
        recipe: gives optimiser and loss; its own learning rate and schedule are not used.
        batches: as many as there are rates.
        rates: in rising order.
        tell: is told of each point.
    """
    with untouched(model):
        optimizer = make_optimizer(model, recipe.optimizer)

        def step(rate: float) -> float:
            images_BCHW, labels_B = next(batches)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = per_sample(recipe.loss, model(images_BCHW), labels_B).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.item()

        return sweep(step, rates, tell)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Train the model inside the block; parameters, buffers, gradients and mode are afterwards what they were."""
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    gradients = [parameter.grad for parameter in model.parameters()]
    training = model.training
    for parameter in model.parameters():
        parameter.grad = None
    model.train()
    try:
        yield
    finally:
        model.load_state_dict(before)
        model.train(training)
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.grad = gradient


def _read(points: list[Point], *, diverged: float | None) -> Sweep:
    if not points:
        return Sweep((), None, math.nan, diverged)
    # One of the first losses may be least by chance: the mean of one is no mean.
    lowest = min(points[_SETTLED:] or points, key=lambda point: point.smoothed)
    return Sweep(tuple(points), _steepest(points[: points.index(lowest) + 1]), lowest.rate, diverged)


def _steepest(falling: list[Point]) -> float | None:
    """Return the rate of the steepest descent of the smoothed loss against the logarithm of the rate."""
    settled = falling[_SETTLED:]
    if len(settled) < 2:
        return None
    slopes = np.gradient([point.smoothed for point in settled], np.log([point.rate for point in settled]))
    least = int(np.argmin(slopes))
    return settled[least].rate if slopes[least] < 0 else None
