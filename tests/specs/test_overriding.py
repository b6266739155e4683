"""Settings by dotted names: each field of each recipe there and back, and every mistake in one message."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.results import digest
from resbench.specs import Recipe
from resbench.specs.bounds import BOUNDS, CHOICES
from resbench.specs.overriding import Change, changes, override, read, text_of, types_of, value_of
from resbench.training.recipes import HE2015_CIFAR, RECIPES, VOC_ZJ2020

FIELDS = sorted(types_of(Recipe))


def test_what_the_recipe_says_by_hand() -> None:
    changed = override(
        HE2015_CIFAR,
        ["pictures.flip=false", "optimizer.lr=0.05", "schedule.milestones=100,200", "schedule.length=300"],
    )
    assert changed == replace(
        HE2015_CIFAR,
        name="he2015_cifar+pictures.flip=false+optimizer.lr=0.05+schedule.length=300+schedule.milestones=100,200",
        pictures=replace(HE2015_CIFAR.pictures, flip=False),
        optimizer=replace(HE2015_CIFAR.optimizer, lr=0.05),
        schedule=replace(HE2015_CIFAR.schedule, length=300, milestones=(100, 200)),
    )
    assert changes(HE2015_CIFAR, changed) == (
        Change("pictures.flip", "true", "false"),
        Change("optimizer.lr", "0.1", "0.05"),
        Change("schedule.length", "64000", "300"),
        Change("schedule.milestones", "32000,48000", "100,200"),
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_every_recipe_there_and_back(recipe: Recipe, name: str) -> None:
    """Each value of a recipe, set in any other recipe, arrives as it was; what was set to itself is no change."""
    value = value_of(recipe, name)
    assert read(name, types_of(Recipe)[name], text_of(value)) == value
    assert override(recipe, [f"{name}={text_of(value)}"]) == recipe


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if name in CHOICES:
        return st.sampled_from(CHOICES[name])
    bounds = BOUNDS.get(name)
    if kind is int:
        return st.integers(int(bounds.least) if bounds else 0, 10**6)
    if kind is float:
        high = min(bounds.greatest, 1e6) if bounds else 1e6
        return st.floats(0, high, exclude_min=True, exclude_max=True, allow_subnormal=False)
    return st.booleans() if kind is bool else st.nothing()


@given(data=st.data(), recipe=st.sampled_from(RECIPES))
def test_any_value_of_any_plain_field_there_and_back(data: st.DataObject, recipe: Recipe) -> None:
    kinds = {name: kind for name, kind in types_of(Recipe).items() if kind in (int, float, bool)}
    name = data.draw(st.sampled_from(sorted(kinds)))
    value = data.draw(_values(name, kinds[name]))
    setting = f"{name}={text_of(value)}"
    try:
        changed = override(recipe, [setting])
    except UsageError as error:  # a value that does not go with another field, which the message names
        assert len(set(re.findall(r"[a-z]+\.[a-z_]+", str(error)))) >= 2  # noqa: PT017
        return
    assert value_of(changed, name) == value
    same = value == value_of(recipe, name)
    assert changed.name == (recipe.name if same else f"{recipe.name}+{setting}")
    assert len(changes(recipe, changed)) == (not same)
    undone = override(changed, [f"{name}={text_of(value_of(recipe, name))}"])
    assert replace(undone, name=recipe.name) == recipe


@given(
    order=st.permutations(["optimizer.lr=0.05", "pictures.flip=no", "loss.smoothing=.1", "test_limit=100"])
)
def test_the_order_of_the_settings_does_not_matter(order: list[str]) -> None:
    assert digest(override(HE2015_CIFAR, order)) == digest(override(HE2015_CIFAR, sorted(order)))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("optimizer.lr", "write NAME=VALUE"),
        ("lr=0.1", "did you mean optimizer.lr?"),
        ("optimiser.lr=0.1", "did you mean optimizer.lr"),
        ("optimizer=sgd", "optimizer has parts: set one of optimizer.name, optimizer.lr"),
        ("name=mine", "can't be set"),
        ("source.title=mine", "can't be set"),
        ("optimizer.lr=fast", "optimizer.lr takes a number, found 'fast'"),
        ("optimizer.lr=nan", "finite"),
        ("optimizer.lr=0", "optimizer.lr must be above 0, found 0"),
        ("optimizer.momentum=1", "at least 0 and below 1, found 1"),
        ("optimizer.name=sdg", "did you mean sgd?"),
        ("pictures.flip=maybe", "takes true or false, found 'maybe'"),
        ("pictures.test_views=5", "choose from 1, 10"),
        ("pictures.resize=small", "takes a whole number, found 'small' or none"),
        ("pictures.resize=16", "pictures.crop 32 does not fit into pictures.resize 16"),
        ("pictures.mean=0.5,0.5", "three values each"),
        ("schedule.milestones=5,4", "must rise"),
        ("schedule.length=1000", "ends before the first of schedule.milestones (at 32000)"),
        ("schedule.length=1.5", "takes a whole number, found '1.5'"),
        ("train_batch=0", "train_batch must be at least 1"),
    ],
)
def test_a_mistake_is_told_in_one_line(setting: str, expected: str) -> None:
    recipe = replace(HE2015_CIFAR, pictures=replace(HE2015_CIFAR.pictures, pad=0))
    with pytest.raises(UsageError) as refused:
        override(recipe, [setting])
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        override(HE2015_CIFAR, ["lr=1", "pictures.flip=maybe", "train_batch=8", "train_batch=9"])
    assert str(refused.value).count(";") == 2
    for part in ("did you mean optimizer.lr?", "true or false", "train_batch is set twice"):
        assert part in str(refused.value)


def test_types_that_a_later_field_may_have() -> None:
    assert read("x", Literal["a", "b"], "b") == "b"
    assert read("x", tuple[int, int] | None, "256,480") == (256, 480)
    assert read("x", tuple[int, int] | None, "none") is None
    assert read("x", tuple[float, ...], "") == ()
    with pytest.raises(UsageError, match="takes 2 values"):
        read("x", tuple[int, int], "256")
    with pytest.raises(UsageError, match="did you mean"):
        read("x", Literal["weights", "all"], "weight")


def test_a_published_recipe_breaks_no_bound() -> None:
    for recipe in RECIPES:
        settings = [f"{name}={text_of(value_of(recipe, name))}" for name in FIELDS]
        assert override(recipe, settings) == recipe
    assert changes(VOC_ZJ2020, VOC_ZJ2020) == ()


def test_it_needs_no_torch() -> None:
    code = "import sys, resbench.specs.overriding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
