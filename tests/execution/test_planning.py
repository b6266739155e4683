from dataclasses import replace
from typing import Any

import pytest

from resbench.catalog import find
from resbench.errors import UsageError
from resbench.execution.planning import Asked, check_runnable, check_scale, experiments_of
from resbench.execution.scaling import Amount
from resbench.specs import DataIdentity, Experiment, Kind, Scale, Suite

SUITE: Suite = find("suite", "suites", "SUITE", "voc_compare")
DATA = DataIdentity(
    kind="voc_crops",
    label="VOC 07+12",
    official=True,
    fingerprint="abc",
    classes=20,
    train_samples=40_058,
    test_samples=12_032,
    majority=0.376,
)


ASKED = Asked(
    amount=Amount(scale=Scale.FULL), seeds=(0,), device="cpu", data={"voc0712": DATA}, machine="one"
)


def plan(**changes: Any) -> tuple[Experiment, ...]:
    return experiments_of(SUITE, SUITE.arms, replace(ASKED, **changes))


def test_each_arm_is_profiled_and_trained() -> None:
    experiments = plan()
    models = [arm.model for arm in SUITE.arms]
    assert [experiment.model for experiment in experiments if experiment.profiling] == models
    assert [experiment.model for experiment in experiments if experiment.recipe] == models


def test_a_full_run_is_the_published_recipe() -> None:
    assert all(experiment.recipe == SUITE.recipe for experiment in plan() if experiment.recipe)


def test_the_same_question_has_the_same_key() -> None:
    assert [one.key for one in plan()] == [one.key for one in plan()]
    assert len({one.key for one in plan()}) == 6


@pytest.mark.parametrize(
    ("change", "trainings_differ", "profiles_differ"),
    [
        ({"seeds": (1,)}, True, False),
        ({"amount": Amount(scale=Scale.SHORT)}, True, True),
        ({"device": "cuda:0"}, True, True),
        ({"data": {"voc0712": replace(DATA, fingerprint="abd")}}, True, False),
        ({"machine": "two"}, False, True),
    ],
)
def test_another_question_has_another_key(
    change: dict[str, Any], trainings_differ: bool, profiles_differ: bool
) -> None:
    """A training run is the same question on every machine; a profile is not, and asks for no seed and no data."""
    keys, other = [one.key for one in plan()], [one.key for one in plan(**change)]
    assert (keys[3:] != other[3:]) == trainings_differ
    assert (keys[:3] != other[:3]) == profiles_differ


def test_drawn_pictures_are_for_smoke_tests_alone() -> None:
    check_scale(SUITE, Scale.SMOKE, sample=True)
    check_scale(SUITE, Scale.FULL, sample=False)
    check_scale(SUITE, Scale.PART, sample=True)
    for scale in (Scale.SHORT, Scale.FULL):
        with pytest.raises(UsageError, match="give --data DIR"):
            check_scale(SUITE, scale, sample=True)


def test_every_arm_has_the_same_seeds_and_a_seed_is_finished_before_the_next() -> None:
    trained = [(one.seed, one.model) for one in plan(seeds=(3, 4)) if one.recipe]
    assert trained == [(seed, arm.model) for seed in (3, 4) for arm in SUITE.arms]


def test_no_more_than_one_seed_changes_the_first_seeds_keys() -> None:
    assert {one.key for one in plan()} < {one.key for one in plan(seeds=(0, 1))}


def test_an_arm_is_trained_by_its_own_recipe() -> None:
    depth: Suite = find("suite", "suites", "SUITE", "cifar_depth")
    asked = replace(ASKED, data={"cifar10": replace(DATA, kind="cifar10", classes=10)})
    found = {one.model: one.recipe.name for one in experiments_of(depth, depth.arms, asked) if one.recipe}
    assert found["cifar_resnet110"] == "he2015_cifar_warm"
    assert {name for model, name in found.items() if model != "cifar_resnet110"} == {"he2015_cifar"}
    assert len(found) == 5


def test_what_is_evaluated_is_not_run() -> None:
    suite = replace(
        SUITE, kind=Kind.EVALUATED, arms=tuple(replace(arm, weights="w") for arm in SUITE.arms), extra=()
    )
    with pytest.raises(UsageError, match="resbench evaluate"):
        check_runnable(suite, suite.arms)


def test_no_arm_is_trained_in_fewer_processes_than_it_asks_for() -> None:
    suite: Suite = find("suite", "suites", "SUITE", "cifar_batch_and_gpus")
    check_runnable(suite, suite.arms)
    with pytest.raises(UsageError, match="batch_128_over_2, batch_128_over_6 of cifar_batch_and_gpus"):
        check_runnable(suite, suite.extra)
