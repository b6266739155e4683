"""What was set otherwise in the runs of a suite (`resbench run --set`), as the names of their recipes say it."""

from collections.abc import Mapping, Sequence
from typing import Any

from resbench.results import Result, plain
from resbench.specs import Arm, Suite
from resbench.specs.recipe_names import Parts, holds, parts_of

Pairs = list[tuple[Arm, Result]]


def parts_in(suite: Suite, experiment: Mapping[str, Any]) -> Parts | None:
    """Return what the name of an experiment's recipe says; None where it is no recipe of the suite's arms."""
    recipes = {recipe.name for arm in (*suite.arms, *suite.extra) if (recipe := suite.recipe_of(arm))}
    return parts_of(experiment["recipe"]["name"], recipes)


def asks_as(suite: Suite, arm: Arm, experiment: Mapping[str, Any]) -> bool:
    """Whether an experiment's recipe is that of an arm, at some scale, with what its name says is set."""
    recipe, parts = suite.recipe_of(arm), parts_in(suite, experiment)
    return (
        recipe is not None
        and parts is not None
        and parts.published == recipe.name
        and all(holds(experiment["recipe"], setting, recipe) for setting in parts.settings)
    )


def alike_set(suite: Suite, pairs: Pairs) -> Pairs:
    """Keep the results in which the same was set otherwise as in the last; a recipe may have been so before."""
    if not pairs:
        return []
    last = pairs[-1]
    return [
        pair
        for pair in pairs
        if _has(suite, pair, _settings(suite, last[1])) and _has(suite, last, _settings(suite, pair[1]))
    ]


def _settings(suite: Suite, result: Result) -> tuple[str, ...]:
    parts = parts_in(suite, result.experiment)
    return parts.settings if parts else ()


def _has(suite: Suite, pair: tuple[Arm, Result], settings: Sequence[str]) -> bool:
    arm, result = pair
    recipe = suite.recipe_of(arm)
    return recipe is not None and all(
        holds(result.experiment["recipe"], setting, recipe) for setting in settings
    )


def is_less(suite: Suite, arm: Arm, experiment: Mapping[str, Any]) -> bool:
    """Whether a run has less to do than its arm's recipe: fewer steps or samples, or smaller pictures."""
    recipe, ours = suite.recipe_of(arm), experiment["recipe"]
    if recipe is None:
        return False
    theirs = plain(recipe)
    parts = (("schedule", "length"), ("pictures", "crop"), ("pictures", "resize"))
    return any(_below(ours[part][field], theirs[part][field]) for part, field in parts) or any(
        _below(ours[limit], theirs[limit]) for limit in ("train_limit", "test_limit")
    )


def _below(ours: int | None, theirs: int | None) -> bool:
    """Whether a limit was set, or lowered; none is no limit."""
    return ours is not None and (theirs is None or ours < theirs)
