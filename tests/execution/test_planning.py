from dataclasses import replace
from typing import Any

import pytest

from resbench.catalog import find
from resbench.errors import UsageError
from resbench.execution.planning import (
    Asked,
    check_one_for_all,
    check_pictures,
    check_predictable,
    check_scale,
    experiments_of,
)
from resbench.execution.scaling import Amount
from resbench.specs import DataIdentity, Experiment, Kind, Precision, Scale, Suite

SUITE: Suite = find("suite", "suites", "SUITE", "voc_compare")
DEPTH: Suite = find("suite", "suites", "SUITE", "cifar_depth")
SPLIT: Suite = find("suite", "suites", "SUITE", "cifar_batch_and_gpus")
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


def test_what_is_only_timed_has_no_share() -> None:
    """Its question would not say which, and the command that asks it again could not, either."""
    latency: Suite = find("suite", "suites", "SUITE", "latency")
    with pytest.raises(UsageError, match="latency only times"):
        check_scale(latency, Scale.PART, sample=True)
    for scale in (Scale.SMOKE, Scale.SHORT, Scale.FULL):
        check_scale(latency, scale, sample=True)


def test_drawn_pictures_are_for_smoke_tests_alone_also_where_only_the_arms_name_their_data() -> None:
    arms = tuple(replace(arm, data="cifar10") for arm in DEPTH.arms)
    suite = replace(DEPTH, data="", arms=arms, extra=())
    check_scale(suite, Scale.SMOKE, sample=True)
    with pytest.raises(UsageError, match="'resbench data prepare cifar10' fetches them, or says"):
        check_scale(suite, Scale.FULL, sample=True)


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


def test_no_time_is_predicted_for_tests_of_weights() -> None:
    suite = replace(
        SUITE, kind=Kind.EVALUATED, arms=tuple(replace(arm, weights="w") for arm in SUITE.arms), extra=()
    )
    with pytest.raises(UsageError, match="no time is predicted for that"):
        check_predictable(suite, suite.arms)


def test_no_time_is_predicted_for_several_processes() -> None:
    check_predictable(SPLIT, SPLIT.arms)
    with pytest.raises(UsageError, match="leave batch_128_over_2, batch_128_over_6 out"):
        check_predictable(SPLIT, SPLIT.extra)


def test_each_arm_is_split_over_its_own_processes_or_all_over_as_many_as_are_asked_for() -> None:
    asked = replace(ASKED, data={"cifar10": replace(DATA, kind="cifar10", classes=10)})
    own = experiments_of(SPLIT, (*SPLIT.arms, *SPLIT.extra), asked)
    assert [one.processes for one in own] == [1, 1, 2, 6]
    three = experiments_of(DEPTH, DEPTH.arms, replace(asked, processes=3))
    assert {one.processes for one in three} == {3}
    # With the statistics of the whole batch it is the same question over any number of them.
    whole = replace(asked, processes=3, settings=("batch_norm=synchronised",))
    assert {one.processes for one in experiments_of(DEPTH, DEPTH.arms, whole)} == {1}
    with pytest.raises(UsageError, match="differ in their processes: leave out --processes"):
        check_one_for_all(SPLIT, precision=None, processes=2)


def test_one_precision_for_all_arms_is_part_of_what_is_asked() -> None:
    half = plan(precision=Precision.BF16)
    assert {one.precision for one in half} == {Precision.BF16}
    assert not {one.key for one in half} & {one.key for one in plan()}
    latency: Suite = find("suite", "suites", "SUITE", "latency")
    with pytest.raises(UsageError, match="differ in their precision: leave out --precision"):
        check_one_for_all(latency, precision=Precision.BF16, processes=None)
    check_one_for_all(SUITE, precision=Precision.BF16, processes=2)


CIFAR = replace(DATA, kind="cifar10", classes=10, train_samples=50_000, test_samples=10_000)


def cifar_plan(
    *settings: str, scale: Scale = Scale.FULL, suite: Suite = DEPTH, models: tuple[str, ...] = ()
) -> dict[str, Experiment]:
    asked = replace(ASKED, data={"cifar10": CIFAR}, settings=settings, amount=Amount(scale=scale))
    arms = suite.chosen(models)
    return dict(zip((arm.id for arm in arms), experiments_of(suite, arms, asked), strict=True))


def test_settings_change_every_arms_recipe_and_its_name() -> None:
    found = cifar_plan("optimizer.lr=0.05", "schedule.warmup=400")
    names = {name: one.recipe.name for name, one in found.items() if one.recipe}
    assert names["cifar_resnet20"] == "he2015_cifar+optimizer.lr=0.05+schedule.warmup=400"
    # This arm's own recipe has that warm-up already.
    assert names["cifar_resnet110"] == "he2015_cifar_warm+optimizer.lr=0.05"
    assert {one.recipe.optimizer.lr for one in found.values() if one.recipe} == {0.05}
    assert not {one.key for one in found.values()} & {one.key for one in cifar_plan().values()}


def test_settings_come_after_the_scale() -> None:
    found = cifar_plan("schedule.length=200", scale=Scale.SHORT)["cifar_resnet20"].recipe
    assert found is not None
    assert found.name == "he2015_cifar-short+schedule.length=200"
    assert (found.schedule.length, found.schedule.milestones) == (200, (200, 300))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("optimiser.lr=1",), "unknown field 'optimiser.lr': did you mean optimizer.lr"),
        (("lr=1",), "did you mean optimizer.lr"),
        (("schedule.length=10",), "ends before the first of schedule.milestones"),
        (("optimizer.lr",), "write NAME=VALUE"),
        (("name=x",), "can't be set"),
    ],
)
def test_settings_that_cannot_be_used_are_told_once(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as error:
        cifar_plan(*settings)
    assert said in str(error.value)
    assert not str(error.value).startswith("cifar_")


def test_settings_that_one_arm_alone_cannot_use_name_it() -> None:
    with pytest.raises(UsageError, match=r"cifar_resnet110: schedule\.warmup 400 leaves nothing"):
        cifar_plan("schedule.length=300", "schedule.milestones=150,225")


def test_settings_may_not_make_two_arms_one() -> None:
    inputs: Suite = find("suite", "suites", "SUITE", "cifar_inputs")
    with pytest.raises(UsageError, match="per_pixel and raw_1 ask the same"):
        cifar_plan("pictures.mean=", "pictures.std=", suite=inputs)


def test_a_suite_that_trains_nothing_takes_no_settings() -> None:
    latency: Suite = find("suite", "suites", "SUITE", "latency")
    with pytest.raises(UsageError, match="latency trains nothing"):
        experiments_of(latency, latency.arms, replace(ASKED, settings=("optimizer.lr=1",)))


def test_pictures_too_small_for_a_network_are_found_before_the_start() -> None:
    check_pictures(list(cifar_plan().values()))
    with pytest.raises(UsageError):
        check_pictures(plan_with_pictures_of(4))


def plan_with_pictures_of(side: int) -> list[Experiment]:
    settings = (f"pictures.resize={side}", f"pictures.crop={side}")
    asked = replace(ASKED, data={"voc0712": DATA}, settings=settings)
    vgg = replace(SUITE, arms=(replace(SUITE.arms[0], model="vgg16"),), extra=(), profiling=None)
    return list(experiments_of(vgg, vgg.arms, asked))
