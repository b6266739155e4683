"""The recipes against what their sources print, written down once more by hand."""

from dataclasses import replace

import pytest
import torch
from torch.optim.lr_scheduler import StepLR

from resbench.training.recipes import (
    HE2015_CIFAR,
    HE2016_CIFAR,
    IMAGENET_HE2015,
    IMAGENET_TORCHVISION_V1,
    RECIPES,
    SEED003_CIFAR,
    VOC_ZJ2020,
)
from resbench.training.schedule import learning_rate


def rate(recipe: object, *, epoch: int = 1, iteration: int = 0) -> float:
    return learning_rate(recipe.optimizer, recipe.schedule, epoch=epoch, iteration=iteration)  # type: ignore[attr-defined]


def test_every_recipe_has_a_name_of_its_own_and_a_source() -> None:
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES) == 7
    assert all(recipe.source.url.startswith("https://") for recipe in RECIPES)


def test_the_papers_choose_nothing_on_their_test_sets() -> None:
    at_the_end = {recipe.name for recipe in RECIPES if recipe.testing == "end"}
    assert at_the_end == {"he2015_cifar", "he2015_cifar_warm", "he2016_cifar", "imagenet_he2015"}
    assert VOC_ZJ2020.testing == SEED003_CIFAR.testing == "every_epoch"


@pytest.mark.parametrize(
    ("iteration", "expected"),
    [(0, 0.01), (399, 0.01), (400, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01), (48_000, 0.001)],
)
def test_he2016_warms_up_for_400_iterations_and_falls_at_32k_and_48k(iteration: int, expected: float) -> None:
    assert rate(HE2016_CIFAR, iteration=iteration) == pytest.approx(expected)
    alike = replace(HE2016_CIFAR, name="", source=HE2015_CIFAR.source, schedule=HE2015_CIFAR.schedule)
    assert alike == replace(HE2015_CIFAR, name="")


def test_torchvisions_v1_schedule_is_its_step_lr() -> None:
    """`references/classification`: --lr 0.1 --lr-step-size 30 --lr-gamma 0.1 --epochs 90."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = StepLR(optimizer, step_size=30, gamma=0.1)
    for epoch in range(1, 91):
        assert rate(IMAGENET_TORCHVISION_V1, epoch=epoch) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    recipe = IMAGENET_TORCHVISION_V1
    assert (recipe.train_batch, recipe.optimizer.weight_decay, recipe.optimizer.momentum) == (256, 1e-4, 0.9)
    assert recipe.pictures.random_resized
    assert recipe.pictures.random_scale == (0.08, 1.0)
    assert recipe.pictures.random_ratio == (0.75, 4 / 3)


def test_imagenet_of_2015_as_section_3_4_has_it() -> None:
    recipe = IMAGENET_HE2015
    assert (recipe.train_batch, recipe.schedule.length) == (256, 60 * 10**4)
    assert (recipe.optimizer.lr, recipe.optimizer.weight_decay, recipe.optimizer.momentum) == (0.1, 1e-4, 0.9)
    assert recipe.pictures.scale_range == (256, 480)
    assert (recipe.pictures.crop, recipe.pictures.flip, recipe.pictures.test_views) == (224, True, 10)
