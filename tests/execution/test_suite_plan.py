"""A suite laid out with known parts in place of measured ones: what is stored, under way, kept and compared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from resbench.catalog import find
from resbench.datasets.opening import open_data
from resbench.datasets.progress import silent
from resbench.execution import rehearsing, suite_plan
from resbench.execution.forecast import Parts
from resbench.execution.planning import Asked
from resbench.execution.predictions import compared, predictions, uncompared
from resbench.execution.rehearsing import Rehearsals, rehearse, visits_of
from resbench.execution.scaling import Amount
from resbench.execution.suite_plan import Place, SuitePlan, checkpoints_of, plan_suite, questions_of
from resbench.metrics.energy.counters import EnergyRefused
from resbench.results import Ending, Environment, Result, plain
from resbench.specs import DataIdentity, Engine, Experiment, Scale, Suite
from resbench.store.forecasts import Predicted
from resbench.store.store import Store, open_store
from resbench.training import checkpoint
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.scales import at_scale
from resbench.trial.rehearsal import Ending as RunEnding
from resbench.trial.walking import Walk

SUITE: Suite = find("suite", "suites", "SUITE", "cifar_depth")
ARMS = SUITE.arms[:2]
DATA = DataIdentity(
    kind="cifar10",
    label="CIFAR-10",
    official=True,
    fingerprint="abc",
    classes=10,
    train_samples=50_000,
    test_samples=10_000,
    majority=0.1,
)
ASKED = Asked(
    amount=Amount(scale=Scale.SHORT), seeds=(0, 1), device="cpu", data={"cifar10": DATA}, machine="one"
)
QUESTIONS = questions_of(SUITE, ARMS, ASKED)
STEPS = (50_000 + 9 * 128) / 128
"""Of 400 iterations, which are 391, the last of 80 pictures, and 9: whole batches."""


def parts(step_s: float) -> Parts:
    """Return parts in which nothing but steps and an opening takes time."""
    return Parts(
        visits=((step_s,) * 3, (step_s,) * 3),
        start_s=0.0,
        epoch_s=0.0,
        test_start_s=0.0,
        test_batch_s=0.0,
        opening_s=5.0,
        checkpoint_B=1_000_000,
    )


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with open_store(str(tmp_path / "s.db")) as opened:
        yield opened


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """Let a step take 0.1 s and 0.2 s; return the list of what was measured."""
    seen: list[Experiment] = []

    def known(experiments: list[Experiment], *_: object, **__: object) -> Rehearsals:
        seen.extend(experiments)
        times = {ARMS[0].model: 0.1, ARMS[1].model: 0.2}
        found = {one.key: parts(times[one.model]) for one in experiments}
        return Rehearsals(parts=found, once_s=0.0, store_B=0, feeds=("resident",))

    monkeypatch.setattr(suite_plan, "rehearse", known)
    return seen


def planned(store: Store, floor: float = 0.0) -> SuitePlan:
    place = Place(data={}, engine=Engine(), store=store, seconds=1.0, start_s=2.0, floor=floor, counter=None)
    return plan_suite(QUESTIONS, place, silent)


HERE = Environment(machine={}, software={}, settings={}).machine_id


def result_of(experiment: Experiment, seconds: float) -> Result:
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(),
        environment=Environment(machine={}, software={}, settings={}),
        started="2026-01-01T00:00:00+00:00",
        seconds=seconds,
    )


def test_each_arm_is_measured_once_and_each_seed_costs_the_same(
    store: Store, measured: list[Experiment]
) -> None:
    plan = planned(store)
    assert [one.model for one in measured] == [arm.model for arm in ARMS]
    runs = [STEPS * step_s for step_s in (0.1, 0.2)]
    assert plan.total.value == pytest.approx(2 + 2 * (sum(runs) + 2 * 5))
    assert [plan.forecasts[arm.id].run.value for arm in ARMS] == pytest.approx(runs)
    assert plan.checkpoint_bytes == 3_000_000


def test_an_arm_whose_runs_are_all_stored_is_not_measured(store: Store, measured: list[Experiment]) -> None:
    for arm, experiment in QUESTIONS:
        if arm is ARMS[0]:
            store.save(result_of(experiment, 40.0))
    plan = planned(store)
    assert [one.model for one in measured] == [ARMS[1].model]
    assert plan.total.value == pytest.approx(2 + 2 * (STEPS * 0.2 + 5))


def test_where_everything_is_stored_nothing_is_left(store: Store, measured: list[Experiment]) -> None:
    for _, experiment in QUESTIONS:
        store.save(result_of(experiment, 40.0))
    plan = planned(store)
    assert measured == []
    assert (plan.forecasts, plan.drift, plan.total.value) == ({}, None, 2.0)
    assert predictions(plan, "one") == ()


def test_a_run_under_way_costs_what_is_left_after_its_checkpoint(
    store: Store, measured: list[Experiment]
) -> None:
    """Of 400 steps 300 are done; its opening is due again."""
    _, experiment = QUESTIONS[0]
    state = checkpoint.State(step=300, epochs=(), weights={"w": torch.zeros(1)}, optimizer={}, seconds=30.0)
    checkpoint.save(checkpoints_of(store) / experiment.key, state)
    plan = planned(store)
    left = plan.lines[0].left
    assert left is not None
    assert left.value == pytest.approx(STEPS * 0.1 / 4 + 5)
    # What is kept is the whole of it, as its result will state it.
    assert predictions(plan, "one")[0].seconds == pytest.approx(STEPS * 0.1)


def test_the_noise_floor_widens_every_range(store: Store, measured: list[Experiment]) -> None:
    run = planned(store, floor=0.25).forecasts[ARMS[0].id].run
    assert (run.low, run.high) == pytest.approx((run.value / 1.25, run.value * 1.25))


def test_what_was_predicted_stands_beside_what_it_took(store: Store, measured: list[Experiment]) -> None:
    plan = planned(store)
    store.forecasts.keep(predictions(plan, HERE))
    assert set(store.forecasts.all()) == {one.key for _, one in QUESTIONS}
    assert compared(QUESTIONS, store.forecasts.all(), store.get) == ()
    store.save(result_of(QUESTIONS[0][1], 44.0))
    ((arm, pairs),) = compared(QUESTIONS, store.forecasts.all(), store.get)
    assert arm is ARMS[0]
    ((told, result),) = pairs
    assert isinstance(told, Predicted)
    assert (round(told.seconds, 6), result.seconds) == (round(STEPS * 0.1, 6), 44.0)


def test_a_run_that_diverged_or_was_made_elsewhere_is_beside_no_prediction(
    store: Store, measured: list[Experiment]
) -> None:
    store.forecasts.keep(predictions(planned(store), HERE))
    (_, first), (_, second), (_, third), _ = QUESTIONS
    store.save(replace(result_of(first, 3.0), outcome=Ending.DIVERGED, diverged_at=7))
    other = Environment(machine={"cpu": "another"}, software={}, settings={})
    store.save(replace(result_of(second, 3.0), environment=other))
    assert compared(QUESTIONS, store.forecasts.all(), store.get) == ()
    store.save(result_of(third, 44.0))
    ((arm, pairs),) = compared(QUESTIONS, store.forecasts.all(), store.get)
    assert (arm, [told.key for told, _ in pairs]) == (ARMS[0], [third.key])
    assert uncompared(QUESTIONS, store.forecasts.all(), store.get) == (1, 1)


def test_a_counter_that_stops_telling_leaves_the_times_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped:
        name = "a fake"

        def joules(self) -> float:
            raise EnergyRefused("energy: the counter can't be read")

    data = open_data("cifar10", None)
    recipe = replace(at_scale(HE2015_CIFAR, Scale.SMOKE), train_batch=8, test_batch=8)
    experiment = replace(QUESTIONS[0][1], recipe=recipe, data=data.identity, scale=Scale.SMOKE)
    found = rehearse(
        [experiment],
        {data.identity.fingerprint: data},
        Engine(),
        folder=tmp_path,
        seconds=0.1,
        report=silent,
        counter=Stopped(),
    )
    assert found.refused == "energy: the counter can't be read"
    (measured,) = found.parts.values()
    assert (measured.watts, len(measured.visits)) == ((), 4)
    assert list(tmp_path.iterdir()) == []


def test_arms_that_read_the_same_pictures_in_other_batches_build_their_files_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(rehearsing, "rehearse_steps", lambda *_, **__: Walk((0.1, 0.1, 0.1), 0.0))
    monkeypatch.setattr(rehearsing, "rehearse_ending", lambda *_, **__: RunEnding(0.0, 0.0, 0.1, 1000))
    data = open_data("voc0712", None)
    one, other = (
        replace(
            QUESTIONS[0][1],
            recipe=replace(at_scale(VOC_ZJ2020, Scale.SMOKE), train_batch=batch, test_batch=4),
            data=data.identity,
        )
        for batch in (4, 8)
    )

    def found(*experiments: Experiment) -> Rehearsals:
        place, room = {data.identity.fingerprint: data}, tmp_path / "room"
        return rehearse(experiments, place, Engine(), folder=room, seconds=0.1, report=silent)

    assert found(one).store_B > 0
    assert found(one, other).store_B == found(one).store_B


@pytest.mark.parametrize(("arms", "visits"), [(1, 4), (2, 3), (3, 2), (8, 2)])
def test_few_arms_are_visited_more_often(arms: int, visits: int) -> None:
    """So that the drift has three degrees of freedom at least."""
    assert visits_of(arms) == visits
    assert arms * (visits - 1) >= 3


def test_other_seeds_of_a_question_are_of_the_same_arm() -> None:
    twice = questions_of(SUITE, ARMS, replace(ASKED, seeds=(4,)))
    assert [(arm.id, one.seed) for arm, one in twice] == [(arm.id, 4) for arm in ARMS]
