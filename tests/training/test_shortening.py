"""How a schedule shrinks, and how many iterations a time has room for: hand-computed tables."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.specs import Recipe
from resbench.training.pace import MARGIN, Pace, iterations_within
from resbench.training.recipes import HE2015_CIFAR, HE2015_CIFAR_WARM, RECIPES, VOC_ZJ2020
from resbench.training.shortening import shortened


def test_milestones_and_warm_up_shrink_with_the_schedule() -> None:
    short = shortened(HE2015_CIFAR_WARM, 6_400, 50_000)
    assert short.name == "he2015_cifar_warm~6400of64000"
    assert (short.schedule.length, short.schedule.milestones, short.schedule.warmup) == (
        6_400,
        (3_200, 4_800),
        40,
    )
    assert (
        replace(short, name=HE2015_CIFAR_WARM.name, schedule=HE2015_CIFAR_WARM.schedule) == HE2015_CIFAR_WARM
    )


def test_a_recipe_that_counts_epochs_keeps_whole_ones() -> None:
    """960 samples in batches of 96 are 10 iterations an epoch: 38 fill 3 epochs."""
    short = shortened(VOC_ZJ2020, 38, 960)
    assert (short.name, short.schedule.length, short.schedule.warmup) == ("voc_zj2020~3of100", 3, 1)
    assert shortened(VOC_ZJ2020, 10, 960).schedule.warmup == 0
    with pytest.raises(UsageError, match="epochs of 10 iterations, and 9 fill none: give at least 10"):
        shortened(VOC_ZJ2020, 9, 960)


def test_the_whole_recipe_is_itself_and_no_more_than_that_is_given() -> None:
    assert shortened(HE2015_CIFAR, 64_000, 50_000) is HE2015_CIFAR
    assert shortened(VOC_ZJ2020, 1_000, 960) is VOC_ZJ2020
    with pytest.raises(UsageError, match="has 64,000 iterations on these data, asked were 64,001"):
        shortened(HE2015_CIFAR, 64_001, 50_000)


@given(recipe=st.sampled_from(RECIPES), share=st.floats(0.001, 1))
def test_a_shortened_schedule_is_still_one(recipe: Recipe, share: float) -> None:
    steps = 1 if recipe.schedule.unit == "iteration" else 10
    iterations = max(steps, int(recipe.schedule.length * steps * share))
    short = shortened(recipe, iterations, 10 * recipe.train_batch).schedule
    assert 1 <= short.length <= recipe.schedule.length
    assert short.warmup < short.length or not recipe.schedule.warmup or short.length == recipe.schedule.length
    assert all(1 <= milestone <= short.length for milestone in short.milestones)


EACH = replace(HE2015_CIFAR, testing="every_epoch")


def test_iterations_in_a_time_by_hand() -> None:
    """0.1 s a step, 390.625 -> 391 steps and 10.9 s of test an epoch: 50 s an epoch."""
    pace = Pace(step_s=0.1, test_s=10.9)
    assert iterations_within(100 / MARGIN + 1e-6, pace, EACH, 50_000, 10_000) == 2 * 391
    assert iterations_within(20.9 / MARGIN + 1e-6, pace, EACH, 50_000, 10_000) == 100
    assert iterations_within(10.0, pace, EACH, 50_000, 10_000) == 0
    assert iterations_within(1e9, pace, EACH, 50_000, 10_000) == 64_000
    # Ten steps of 96 an epoch, 11.9 s with the test: three whole epochs in 40 s.
    assert iterations_within(40, pace, VOC_ZJ2020, 960, 960) == 30
    assert iterations_within(11, pace, VOC_ZJ2020, 960, 960) == 0


def test_one_test_at_the_end_and_a_tenth_of_it_each_epoch_by_hand() -> None:
    """45,000 samples are 352 steps; 5,000 held out of 10,000 tested take half of 10 s an epoch."""
    recipe = replace(HE2015_CIFAR, validation=5_000, testing="end")
    pace = Pace(step_s=0.1, test_s=10.0)
    budget_s = (10.0 + 2 * (35.2 + 5.0) + 5.0 + 1.0) / MARGIN + 1e-6
    assert iterations_within(budget_s, pace, recipe, 45_000, 10_000) == 2 * 352 + 10


@given(
    budget=st.floats(0, 1e5),
    step=st.floats(1e-3, 10),
    test=st.floats(1e-3, 100),
    recipe=st.sampled_from(RECIPES),
)
def test_what_is_planned_fits(budget: float, step: float, test: float, recipe: Recipe) -> None:
    samples = 2_000
    found = iterations_within(budget, Pace(step, test), recipe, samples, 500)
    epochs = -(-found // -(-samples // recipe.train_batch))
    tests = epochs * recipe.validation / 500 + (epochs if recipe.testing == "every_epoch" else min(1, epochs))
    assert found * step + tests * test <= budget + 1e-6
