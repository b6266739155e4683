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
        picture: share of the sides of a resized and cropped picture. Pictures that are not resized stay as they are.
        train_limit, test_limit: at most this many samples.
        iterations: at most so many, of a schedule that counts them: few samples leave nothing to do for 1,920, and 30 %
            of 64,000 are hours on a CPU.
    """

    length: float
    picture: float
    train_limit: int | None
    test_limit: int | None
    iterations: int | None = None


REDUCTIONS = {
    Scale.SMOKE: Reduction(length=0.03, picture=0.25, train_limit=288, test_limit=96, iterations=6),
    Scale.SHORT: Reduction(length=0.3, picture=0.25, train_limit=None, test_limit=None, iterations=400),
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
            scale_range=_smaller(pictures.scale_range, reduction.picture),
        )
    return replace(
        recipe,
        name=f"{recipe.name}-{scale}",
        pictures=pictures,
        schedule=_shortened(recipe.schedule, reduction),
        train_limit=_least(recipe.train_limit, reduction.train_limit),
        test_limit=_least(recipe.test_limit, reduction.test_limit),
        validation=_held_out(recipe.validation, reduction.train_limit),
    )


def _least(*limits: int | None) -> int | None:
    """Return the smallest limit there is: a recipe may have one of its own."""
    return min((limit for limit in limits if limit is not None), default=None)


def _smaller(sides: tuple[int, int] | None, share: float) -> tuple[int, int] | None:
    return None if sides is None else (round(sides[0] * share), round(sides[1] * share))


def _held_out(validation: int, train_limit: int | None) -> int:
    """Hold out a tenth at most of what is left of the samples."""
    return validation if train_limit is None else min(validation, train_limit // 10)


def _shortened(schedule: Schedule, reduction: Reduction) -> Schedule:
    """Keep at least one step of what there was, so that a warm-up stays a warm-up."""
    share = reduction.length
    if schedule.unit == "iteration" and reduction.iterations is not None:
        share = min(share, reduction.iterations / schedule.length)
    return replace(
        schedule,
        length=max(1, round(schedule.length * share)),
        warmup=max(1, round(schedule.warmup * share)) if schedule.warmup else 0,
        milestones=tuple(max(1, round(milestone * share)) for milestone in schedule.milestones),
    )
