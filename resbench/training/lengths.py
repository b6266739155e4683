"""How long a recipe is on so many samples. No torch."""

import math

from resbench.specs import Recipe


def steps_of(recipe: Recipe, samples: int) -> int:
    """Return the batches of an epoch; the last one may be smaller."""
    return math.ceil(samples / recipe.train_batch)


def epochs_of(recipe: Recipe, samples: int) -> int:
    """Return how many epochs the recipe has on so many training samples (the last may be cut short)."""
    if recipe.schedule.unit == "epoch":
        return recipe.schedule.length
    return math.ceil(recipe.schedule.length / steps_of(recipe, samples))


def steps_in(recipe: Recipe, samples: int, epoch: int) -> int:
    """Return the steps of one epoch, counted from 1: the last ends where the schedule does."""
    steps = steps_of(recipe, samples)
    if recipe.schedule.unit == "epoch":
        return steps
    return min(steps, recipe.schedule.length - (epoch - 1) * steps)
