"""How long a step and a test take here, and how many iterations fit into a time."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from resbench.models.precision import autocast
from resbench.specs import Engine, Recipe
from resbench.training.evaluation import mean_logits
from resbench.training.few_batches import FewBatches
from resbench.training.lengths import steps_of
from resbench.training.step import training_step
from resbench.training.world import ALONE

MARGIN = 0.95
"""The share of a time that is planned for: checkpoints and a busier moment take the rest."""

_LONG_ENOUGH_S, _FEWEST, _WARM_UP = 3.0, 3, 2


class Pace(NamedTuple):
    """Seconds of one training step, and of one pass over the test samples; pictures prepared in the same process."""

    step_s: float
    test_s: float


def measure_pace(
    model: nn.Module, few: FewBatches, engine: Engine, *, clock: Callable[[], float] = time.perf_counter
) -> Pace:
    """Train the model for about three seconds, as the engine does it, and test one batch."""
    recipe = few.recipe
    step = training_step(model.train(), recipe, engine, seed=few.seed, device=few.device, world=ALONE)
    batches = few.training()

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
    began = clock()
    images_BVCHW, _ = few.test()
    with autocast(engine.precision, few.device):
        mean_logits(model.eval(), images_BVCHW).cpu()
    samples = min(recipe.test_limit or len(few.data.test), len(few.data.test))
    return Pace(step_s, (clock() - began) * samples / len(images_BVCHW))


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
