"""What fits into a time: the order of the experiments, and stored ones, which cost nothing."""

from dataclasses import replace

import pytest

from resbench.catalog import find
from resbench.execution.fitting import Line, arms_within, in_order, seeds_of, within
from resbench.execution.forecast import Estimate
from resbench.execution.planning import Asked
from resbench.execution.scaling import Amount
from resbench.execution.suite_plan import questions_of
from resbench.results import Environment, Result, plain
from resbench.specs import DataIdentity, Experiment, Scale, Suite

SUITE: Suite = find("suite", "suites", "SUITE", "cifar_plain_vs_resnet")
ARMS = SUITE.arms[:2]
ASKED = Asked(
    amount=Amount(scale=Scale.SHORT),
    seeds=(0, 1, 2),
    device="cpu",
    data={
        "cifar10": DataIdentity(
            kind="cifar10",
            label="CIFAR-10",
            official=True,
            fingerprint="abc",
            classes=10,
            train_samples=50_000,
            test_samples=10_000,
            majority=0.1,
        )
    },
    machine="one",
)
QUESTIONS = questions_of(SUITE, ARMS, ASKED)
START = Estimate(10, 10, 10)


def a_result(experiment: Experiment, seconds: float = 100.0) -> Result:
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(),
        environment=Environment(machine={}, software={}, settings={}),
        started="2026-01-01T00:00:00+00:00",
        seconds=seconds,
    )


def lines(known: int = 0, unpredicted: str = "") -> tuple[Line, ...]:
    """Return the six runs, 100 s [80, 150] and 200 s [160, 300] in turns, the first few of them stored."""
    results = {one.key: a_result(one) for _, one in QUESTIONS[:known]}
    costs = {ARMS[0].id: Estimate(100, 80, 150), ARMS[1].id: Estimate(200, 160, 300)}
    left = {one.key: costs[arm.id] for arm, one in QUESTIONS if arm.id != unpredicted}
    return in_order(QUESTIONS, results, left, START)


def test_each_question_has_its_arm_and_seeds_follow_one_another() -> None:
    assert [(arm.id, one.seed) for arm, one in QUESTIONS] == [
        (arm.id, seed) for seed in (0, 1, 2) for arm in ARMS
    ]


def test_each_experiment_is_done_after_all_before_it() -> None:
    assert [line.ends.value for line in lines()] == [110, 310, 410, 610, 710, 910]
    assert lines()[-1].ends == Estimate(910, 10 + 3 * 240, 10 + 3 * 450)


def test_what_is_stored_costs_nothing() -> None:
    found = lines(known=3)
    assert [line.ends.value for line in found] == [10, 10, 10, 210, 310, 510]
    assert [line.left is None for line in found] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("budget_s", "seeds", "said"),
    [
        (1360, 3, ["yes", "yes", "yes"]),
        (1000, 3, ["yes", "yes", "likely"]),
        (800, 2, ["yes", "likely", "unlikely"]),
        (309, 0, ["unlikely", "no", "no"]),
        (310, 1, ["likely", "no", "no"]),
    ],
)
def test_seeds_fit_where_their_last_arm_is_done_in_time(budget_s: float, seeds: int, said: list[str]) -> None:
    found = seeds_of(lines())
    assert within(found, budget_s) == seeds
    assert [seed.fits(budget_s) for seed in found] == said


def test_some_arms_of_a_seed_may_fit() -> None:
    assert [arm.id for arm in arms_within(lines(), 309, seed=0)] == [ARMS[0].id]
    assert arms_within(lines(), 100, seed=0) == ()


def test_a_seed_with_an_arm_that_can_not_be_predicted_is_not_complete() -> None:
    found = lines(unpredicted=ARMS[1].id)
    assert not any(seed.complete for seed in seeds_of(found))
    assert [arm.id for arm in arms_within(found, 1e9, seed=0)] == [ARMS[0].id]


def test_the_same_question_twice_takes_its_time_once() -> None:
    twice = [QUESTIONS[0], QUESTIONS[0]]
    found = in_order(twice, {}, {QUESTIONS[0][1].key: Estimate(100, 80, 150)}, START)
    assert [line.ends.value for line in found] == [110, 110]


def test_each_profile_has_its_arm() -> None:
    voc: Suite = find("suite", "suites", "SUITE", "voc_compare")
    data = replace(ASKED.data["cifar10"], kind="voc_crops", classes=20)
    found = questions_of(voc, voc.arms, replace(ASKED, data={"voc0712": data}))
    assert [arm.id for arm, one in found if one.profiling] == [arm.id for arm in voc.arms]
