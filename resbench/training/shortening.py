"""A recipe cut to a number of iterations: warm-up and milestones shrink with the schedule. A reduced run, by its name."""

from dataclasses import replace

from resbench.errors import UsageError
from resbench.specs import Recipe
from resbench.training.lengths import steps_of


def shortened(recipe: Recipe, iterations: int, samples: int) -> Recipe:
    """Return the recipe with a schedule of so many iterations; all that it counts shrinks in proportion.

    A recipe that counts epochs keeps whole ones: as many as the iterations fill.

    Args:
        recipe: as it would run otherwise.
        iterations: at least one, and at most as many as the recipe has.
        samples: that an epoch trains on.

    Raises:
        UsageError: the recipe is no longer than that, or counts epochs and the iterations fill none.
    """
    schedule, steps = recipe.schedule, steps_of(recipe, samples)
    length = iterations if schedule.unit == "iteration" else iterations // steps
    whole = schedule.length * (1 if schedule.unit == "iteration" else steps)
    if iterations == whole:
        return recipe
    if iterations > whole:
        raise UsageError(f"{recipe.name} has {whole:,} iterations on these data, asked were {iterations:,}")
    if length < 1:
        raise UsageError(
            f"{recipe.name} counts epochs of {steps:,} iterations, and {iterations:,} fill none: give at least {steps:,}"
        )
    share = length / schedule.length
    return replace(
        recipe,
        name=f"{recipe.name}~{length}of{schedule.length}",
        schedule=replace(
            schedule,
            length=length,
            warmup=min(max(1, round(schedule.warmup * share)), length - 1) if schedule.warmup else 0,
            milestones=tuple(max(1, round(milestone * share)) for milestone in schedule.milestones),
        ),
    )
