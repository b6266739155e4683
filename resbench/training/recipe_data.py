"""Which data set a recipe is for, by the names of `resbench data`. No torch."""

from collections.abc import Mapping

from resbench.errors import UsageError, unknown
from resbench.specs import Recipe
from resbench.training.recipes import RECIPES

DATA_SETS: Mapping[str, str] = {
    "voc_zj2020": "voc0712",
    "he2015_cifar": "cifar10",
    "he2015_cifar_warm": "cifar10",
    "he2016_cifar": "cifar10",
    "seed003_cifar": "cifar10",
    "imagenet_he2015": "imagenet",
    "imagenet_torchvision_v1": "imagenet",
}
"""By the name of the recipe as published."""


def find_recipe(name: str) -> Recipe:
    """Return the published recipe of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    known = {recipe.name: recipe for recipe in RECIPES}
    if name not in known:
        raise unknown("recipe", name, known)
    return known[name]


def data_set_of(recipe: Recipe) -> str:
    """Return the name of the data set that a published recipe is for.

    Raises:
        UsageError: its data can't be read here.
    """
    if recipe.name not in DATA_SETS:
        raise UsageError(
            f"the data of {recipe.name} can't be read by this command: choose from {', '.join(DATA_SETS)}"
        )
    return DATA_SETS[recipe.name]
