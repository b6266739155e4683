"""How long a step and a test take here, and how many iterations fit into a time."""

import math
import time
from collections.abc import Callable, Generator
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor, nn

from resbench.models.precision import autocast
from resbench.specs import Engine, Recipe
from resbench.training.evaluation import mean_logits
from resbench.training.feeds import Feed
from resbench.training.lengths import steps_of
from resbench.training.run import Feeds
from resbench.training.seeding import order
from resbench.training.step import training_step
from resbench.training.world import ALONE

MARGIN = 0.95
"""The share of a time that is planned for: checkpoints and a busier moment take the rest."""

_LONG_ENOUGH_S, _FEWEST, _WARM_UP = 3.0, 3, 2
_TESTED_S = 1.0


class Pace(NamedTuple):
    """Seconds of one training step, and of one pass over the test samples; pictures included, as the feeds bring them."""

    step_s: float
    test_s: float


def measure_pace(
    model: nn.Module,
    feeds: Feeds,
    recipe: Recipe,
    engine: Engine,
    *,
    seed: int,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> Pace:
    """Train the model for about three seconds, as the engine does it on the run's own feeds, and test for about one.

    A last batch that is smaller is left out: it would be another step.
    """
    step = training_step(model.train(), recipe, engine, seed=seed, device=device, world=ALONE)
    batches = _batches(feeds.train, recipe.train_batch, seed)

    def train() -> None:
        images_BCHW, labels_B = next(batches)
        # At a rate that changes next to nothing: a loss that explodes may be slower than one that does not.
        step(images_BCHW, labels_B, rate=1e-8, weight=1.0, iteration=0).cpu()

    for _ in range(_WARM_UP):
        train()
    began, done = clock(), 0
    while done < _FEWEST or clock() - began < _LONG_ENOUGH_S:
        train()
        done += 1
    step_s = (clock() - began) / done
    batches.close()
    test_s = _tested(model.eval(), feeds.test, recipe.test_batch, engine=engine, device=device, clock=clock)
    return Pace(step_s, test_s)


def _batches(feed: Feed, size: int, seed: int) -> Generator[tuple[Tensor, Tensor], None, None]:
    """Yield whole training batches, epoch after epoch without end."""
    size = min(size, len(feed))
    for epoch in count(1):
        visits = order(len(feed), seed, epoch)
        whole = [visits[start : start + size] for start in range(0, len(visits) - size + 1, size)]
        yield from feed.training_batches(whole, seed=seed, epoch=epoch)


def _tested(
    model: nn.Module,
    feed: Feed,
    size: int,
    *,
    engine: Engine,
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Return the seconds of a test of all samples, from as many batches as there is time for."""
    batches = [range(start, min(start + size, len(feed))) for start in range(0, len(feed), size)]
    began, done = clock(), 0
    for images_BVCHW, _ in feed.test_batches(batches):
        with autocast(engine.precision, device):
            mean_logits(model, images_BVCHW).cpu()
        done += len(images_BVCHW)
        if clock() - began >= _TESTED_S:
            break
    return (clock() - began) * len(feed) / done


def iterations_within(budget_s: float, pace: Pace, recipe: Recipe, samples: int, tested: int) -> int:
    """Return how many iterations, with the tests between and after them, fit into the time; at most the recipe's.

    A recipe that counts epochs gets whole ones, and 0 where not even one fits.

    Args:
        budget_s: the time.
        pace: of this network on this machine.
        recipe: says when is tested.
        samples: that an epoch trains on.
        tested: samples of the test set.
    """
    steps = steps_of(recipe, samples)
    each_s = pace.test_s * recipe.validation / tested
    last_s = pace.test_s
    if recipe.testing == "every_epoch":
        each_s, last_s = each_s + pace.test_s, 0.0
    epoch_s = steps * pace.step_s + each_s
    time_s = max(0.0, budget_s * MARGIN - last_s)
    whole = math.floor(time_s / epoch_s)
    if recipe.schedule.unit == "epoch":
        return steps * min(recipe.schedule.length, whole)
    rest_s = max(0.0, time_s - whole * epoch_s - each_s)
    return min(recipe.schedule.length, whole * steps + math.floor(rest_s / pace.step_s))
