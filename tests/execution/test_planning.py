from dataclasses import replace

import pytest

from resbench.catalog import find
from resbench.errors import UsageError
from resbench.execution.planning import check_scale, experiments_of
from resbench.specs import DataIdentity, Experiment, Scale, Suite

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


def plan(**changes: object) -> tuple[Experiment, ...]:
    asked: dict[str, object] = {
        "scale": Scale.FULL,
        "seed": 0,
        "device": "cpu",
        "data": DATA,
        "machine": "one",
    }
    return experiments_of(SUITE, SUITE.arms, **{**asked, **changes})  # type: ignore[arg-type]


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
        ({"seed": 1}, True, False),
        ({"scale": Scale.SHORT}, True, True),
        ({"device": "cuda:0"}, True, True),
        ({"data": replace(DATA, fingerprint="abd")}, True, False),
        ({"machine": "two"}, False, True),
    ],
)
def test_another_question_has_another_key(
    change: dict[str, object], trainings_differ: bool, profiles_differ: bool
) -> None:
    """A training run is the same question on every machine; a profile is not, and asks for no seed and no data."""
    keys, other = [one.key for one in plan()], [one.key for one in plan(**change)]
    assert (keys[3:] != other[3:]) == trainings_differ
    assert (keys[:3] != other[:3]) == profiles_differ


def test_drawn_pictures_are_for_smoke_tests_alone() -> None:
    check_scale(SUITE, Scale.SMOKE, sample=True)
    check_scale(SUITE, Scale.FULL, sample=False)
    for scale in (Scale.SHORT, Scale.FULL):
        with pytest.raises(UsageError, match="give --data DIR"):
            check_scale(SUITE, scale, sample=True)
