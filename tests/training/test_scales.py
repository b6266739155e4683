from dataclasses import replace

import pytest

from resbench.specs import Recipe, Scale
from resbench.training.recipes import HE2016_CIFAR, RECIPES, VOC_ZJ2020
from resbench.training.scales import at_scale


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_full_is_the_recipe_itself(recipe: Recipe) -> None:
    assert at_scale(recipe, Scale.FULL) is recipe


@pytest.mark.parametrize("scale", [Scale.SMOKE, Scale.SHORT])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_reduced_recipe_has_another_name_and_less_to_do(recipe: Recipe, scale: Scale) -> None:
    reduced = at_scale(recipe, scale)
    assert reduced.name != recipe.name
    assert reduced.schedule.length < recipe.schedule.length
    assert reduced.schedule.warmup < reduced.schedule.length
    assert list(reduced.schedule.milestones) == sorted(reduced.schedule.milestones)


@pytest.mark.parametrize("scale", [Scale.SMOKE, Scale.SHORT])
def test_what_a_user_would_call_a_substitution_stays(scale: Scale) -> None:
    reduced = at_scale(VOC_ZJ2020, scale)
    for field in ("train_batch", "test_batch", "loss", "optimizer", "initialisation"):
        assert getattr(reduced, field) == getattr(VOC_ZJ2020, field)
    assert reduced.pictures.test_views == 10
    assert reduced.pictures.crop / reduced.pictures.resize == 224 / 256  # type: ignore[operator]


def test_short_counts_four_hundred_iterations_at_most() -> None:
    short = at_scale(HE2016_CIFAR, Scale.SHORT)
    assert (short.schedule.length, short.schedule.milestones, short.schedule.warmup) == (400, (200, 300), 2)
    assert (short.train_limit, short.test_limit) == (None, None)
    assert short.pictures == HE2016_CIFAR.pictures
    # A shorter one still leaves 30 %.
    brief = replace(HE2016_CIFAR, schedule=replace(HE2016_CIFAR.schedule, length=1000, milestones=(500, 750)))
    assert at_scale(brief, Scale.SHORT).schedule.length == 300
    assert at_scale(VOC_ZJ2020, Scale.SHORT).schedule.length == 30
