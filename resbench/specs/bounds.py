"""Which values of a recipe's fields make sense, and which go together. No torch."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from resbench.specs.recipe import Recipe


class Bounds(NamedTuple):
    """The least and the greatest value of a number; `above` leaves the least itself out, `below` the greatest."""

    least: float = 0.0
    greatest: float = float("inf")
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Return whether the value lies inside."""
        low = value > self.least if self.above else value >= self.least
        return low and (value < self.greatest if self.below else value <= self.greatest)

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {self.least:g}"
        if self.greatest == float("inf"):
            return low
        return f"{low} and {'below' if self.below else 'at most'} {self.greatest:g}"


_COUNT, _SHARE = Bounds(1), Bounds(0, 1)
BOUNDS: Mapping[str, Bounds] = {
    "train_batch": _COUNT,
    "test_batch": _COUNT,
    "train_limit": _COUNT,
    "test_limit": _COUNT,
    "validation": Bounds(0),
    "ema": Bounds(0, 1, below=True),
    "precise_bn": Bounds(0),
    "pictures.resize": _COUNT,
    "pictures.pad": Bounds(0),
    "pictures.crop": _COUNT,
    "pictures.color_jitter": Bounds(0),
    "pictures.erase": _SHARE,
    "loss.smoothing": Bounds(0, 1, below=True),
    "optimizer.lr": Bounds(0, above=True),
    "optimizer.weight_decay": Bounds(0),
    "optimizer.momentum": Bounds(0, 1, below=True),
    "schedule.length": _COUNT,
    "schedule.warmup": Bounds(0),
    "schedule.warmup_lr": Bounds(0),
    "schedule.final_lr": Bounds(0),
    "schedule.gamma": Bounds(0, above=True),
}
"""Of the fields that hold a number."""

CHOICES: Mapping[str, tuple[str | int, ...]] = {
    "initialisation": ("kaiming_normal_fan_in", "kaiming_normal_fan_out", "torch"),
    "optimizer.name": ("adam", "sgd"),
    "pictures.test_views": (1, 10),
    "schedule.name": ("cosine", "steps"),
    "schedule.unit": ("epoch", "iteration"),
}
"""Of the fields whose type is wider than what they take."""


def problems_of(recipe: Recipe, asked: Collection[str]) -> list[str]:
    """Return what is wrong with the fields that were `asked` for (dotted names), a sentence each."""
    return [
        *(problem for name in sorted(asked) for problem in _alone(recipe, name)),
        *(problem for names, problem in _together(recipe) if set(names) & set(asked)),
    ]


def _alone(recipe: Recipe, name: str) -> Iterator[str]:
    value: object = recipe
    for part in name.split("."):
        value = getattr(value, part)
    if name in BOUNDS and isinstance(value, int | float) and not BOUNDS[name].holds(value):
        yield f"{name} must be {BOUNDS[name]}, found {value:g}"


def _together(recipe: Recipe) -> Iterator[tuple[tuple[str, ...], str]]:
    pictures, schedule = recipe.pictures, recipe.schedule
    if pictures.resize is not None and pictures.crop > pictures.resize + 2 * pictures.pad:
        yield (
            ("pictures.resize", "pictures.crop", "pictures.pad"),
            f"pictures.crop {pictures.crop} does not fit into pictures.resize {pictures.resize}",
        )
    statistics = {len(pictures.mean), len(pictures.std)}
    if statistics not in ({0}, {3}):
        yield (
            ("pictures.mean", "pictures.std"),
            "pictures.mean and pictures.std take three values each, or none at all for the per-pixel mean",
        )
    if any(value <= 0 for value in pictures.std):
        yield ("pictures.std",), "pictures.std must be above 0"
    if (
        list(schedule.milestones) != sorted(set(schedule.milestones))
        or min(schedule.milestones, default=1) < 1
    ):
        yield ("schedule.milestones",), "schedule.milestones must rise, and start above 0"
    if schedule.name == "steps" and schedule.milestones and schedule.milestones[0] > schedule.length:
        problem = (
            f"schedule.length {schedule.length} ends before the first of schedule.milestones (at "
            f"{schedule.milestones[0]}): set both; 'resbench train --iterations' shortens the whole schedule"
        )
        yield ("schedule.length", "schedule.milestones"), problem
    if schedule.warmup >= schedule.length:
        yield (
            ("schedule.length", "schedule.warmup", "schedule.name"),
            f"schedule.warmup {schedule.warmup} leaves nothing of schedule.length {schedule.length}",
        )
