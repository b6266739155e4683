"""How a scale reduces a recipe: smaller pictures, fewer steps, fewer samples. One stated rule, shown in the report.

`full` changes nothing. A reduced recipe has another name, so that no report can take one for the other.
"""

from dataclasses import dataclass, replace

from resbench.specs import Recipe, Scale, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """What a scale leaves of a recipe.

    Attributes:
        length: share of the schedule's length; warm-up and milestones shrink with it.
        picture: share of the side of a resized and cropped picture. Pictures that are not resized stay as they are.
        train_limit, test_limit: at most this many samples.
    """

    length: float
    picture: float
    train_limit: int | None
    test_limit: int | None


REDUCTIONS = {
    Scale.SMOKE: Reduction(length=0.03, picture=0.25, train_limit=288, test_limit=96),
    Scale.SHORT: Reduction(length=0.3, picture=0.25, train_limit=None, test_limit=None),
}


def at_scale(recipe: Recipe, scale: Scale) -> Recipe:
    """Return the recipe as `scale` runs it. `full` is the recipe itself."""
    if scale is Scale.FULL:
        return recipe
    reduction = REDUCTIONS[scale]
    pictures = recipe.pictures
    if pictures.resize is not None:
        pictures = replace(
            pictures,
            resize=round(pictures.resize * reduction.picture),
            crop=round(pictures.crop * reduction.picture),
        )
    return replace(
        recipe,
        name=f"{recipe.name}-{scale}",
        pictures=pictures,
        schedule=_shortened(recipe.schedule, reduction.length),
        train_limit=reduction.train_limit,
        test_limit=reduction.test_limit,
    )


def _shortened(schedule: Schedule, share: float) -> Schedule:
    """Keep at least one step of what there was, so that a warm-up stays a warm-up."""
    return replace(
        schedule,
        length=max(1, round(schedule.length * share)),
        warmup=max(1, round(schedule.warmup * share)) if schedule.warmup else 0,
        milestones=tuple(max(1, round(milestone * share)) for milestone in schedule.milestones),
    )
