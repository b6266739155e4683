"""Names of recipes, taken apart and checked against what the recipe holds."""

from dataclasses import replace

import pytest

from resbench.results import plain
from resbench.specs.overriding import override
from resbench.specs.recipe_names import Parts, holds, parts_of
from resbench.training.recipes import HE2015_CIFAR

KNOWN = ("he2015_cifar", "he2015_cifar_warm", "he2015_cifar+optimizer.lr=0.05")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("he2015_cifar", Parts("he2015_cifar", "", ())),
        ("he2015_cifar-short", Parts("he2015_cifar", "short", ())),
        ("he2015_cifar-1e-05", Parts("he2015_cifar", "1e-05", ())),
        (
            "he2015_cifar-0.01+optimizer.lr=1e-05+train_limit=none",
            Parts("he2015_cifar", "0.01", ("optimizer.lr=1e-05", "train_limit=none")),
        ),
        (
            "he2015_cifar_warm+schedule.milestones=150,225",
            Parts("he2015_cifar_warm", "", ("schedule.milestones=150,225",)),
        ),
        ("he2015_cifar+optimizer.weight_decay=1e+20", Parts("he2015_cifar", "", ("optimizer.weight_decay=1e+20",))),
        ("he2015_cifar+optimizer.lr=0.05", Parts("he2015_cifar+optimizer.lr=0.05", "", ())),
        ("he2015_cifar+optimizer.lr=0.05-smoke", Parts("he2015_cifar+optimizer.lr=0.05", "smoke", ())),
        ("he2016_cifar", None),
        ("he2015_cifar~300of64000", None),
        ("he2015_cifarish", None),
    ],
)  # fmt: skip
def test_what_a_name_says(name: str, parts: Parts | None) -> None:
    assert parts_of(name, KNOWN) == parts


def test_what_override_names_is_read_back() -> None:
    settings = (
        "pictures.resize=16",
        "pictures.crop=16",
        "schedule.length=300",
        "schedule.milestones=150,225",
    )
    changed = override(replace(HE2015_CIFAR, name="he2015_cifar-short"), settings)
    assert parts_of(changed.name, KNOWN) == Parts("he2015_cifar", "short", settings)
    assert all(holds(plain(changed), setting, HE2015_CIFAR) for setting in settings)
    assert not any(holds(plain(HE2015_CIFAR), setting, HE2015_CIFAR) for setting in settings)


def test_a_field_that_is_left_out_of_what_is_stored_is_at_its_default() -> None:
    changed = plain(override(HE2015_CIFAR, ["testing=every_epoch"]))
    assert "testing" not in changed
    assert holds(changed, "testing=every_epoch", HE2015_CIFAR)
    assert holds(changed, "pictures.pad_space=input", HE2015_CIFAR)
    assert not holds(plain(HE2015_CIFAR), "testing=every_epoch", HE2015_CIFAR)
    assert not holds(changed, "picture.crop=32", HE2015_CIFAR)
