"""Predicted times by hand, and the error of a prediction by simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest

from resbench.execution.forecast import (
    Drift,
    Estimate,
    Parts,
    added,
    around,
    drift_of,
    error_of,
    joules_of,
    seconds_of,
    work_of,
)
from resbench.specs import DataIdentity, Scale
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.scales import at_scale

CIFAR = DataIdentity(
    kind="cifar10",
    label="CIFAR-10",
    official=True,
    fingerprint="abc",
    classes=10,
    train_samples=50_000,
    test_samples=10_000,
    majority=0.1,
)
VOC = replace(CIFAR, kind="voc_crops", train_samples=40_058, test_samples=12_032, classes=20)
PARTS = Parts(
    visits=((0.1, 0.1, 0.1), (0.12, 0.12)),
    start_s=2.0,
    epoch_s=0.5,
    test_start_s=0.25,
    test_batch_s=0.04,
    opening_s=3.0,
    checkpoint_B=1000,
)


def test_the_work_of_64_000_iterations_by_hand() -> None:
    """50,000 samples are 391 batches of 128, the last of 80: 163 whole epochs are 63,733 steps, and 267 more follow."""
    work = work_of(HE2015_CIFAR, CIFAR)
    assert (work.epochs, work.all_steps, work.passes) == (164, 64_000, 1)
    assert work.images == 163 * 50_000 + 267 * 128
    assert work.steps == pytest.approx(work.images / 128)
    assert work.test_batches == pytest.approx(10_000 / 128)


def test_a_recipe_that_tests_each_epoch_and_one_that_holds_samples_out() -> None:
    voc = work_of(VOC_ZJ2020, VOC)
    assert (voc.epochs, voc.passes, voc.images) == (100, 100, 100 * 40_058)
    assert voc.test_batches == pytest.approx(100 * 12_032 / 48)
    held_out = work_of(replace(HE2015_CIFAR, validation=5_000), CIFAR)
    # 45,000 are 352 batches; 64,000 of those are 181 whole epochs and 288 steps.
    assert (held_out.epochs, held_out.passes) == (182, 183)
    assert held_out.test_batches == pytest.approx((10_000 + 182 * 5_000) / 128)


def test_a_reduced_recipe_has_the_work_of_its_limits() -> None:
    work = work_of(at_scale(HE2015_CIFAR, Scale.SMOKE), CIFAR)
    assert work.test_batches == pytest.approx(96 / 128)
    assert (work.all_steps, work.images) == (6, 2 * 288)


def test_the_time_of_a_run_is_the_sum_of_its_parts() -> None:
    """2 epochs of 391 and 9 steps at the mean of the visits, 0.11 s; two gaps; one test of 78.125 batches."""
    work = work_of(replace(HE2015_CIFAR, schedule=replace(HE2015_CIFAR.schedule, length=400)), CIFAR)
    expected = 2.0 + (50_000 + 9 * 128) / 128 * 0.11 + 2 * 0.5 + 0.25 + 78.125 * 0.04
    assert seconds_of(PARTS, work, math.inf) == pytest.approx(expected)
    # A checkpoint every ten seconds of the 44: four more.
    assert seconds_of(PARTS, work, 10.0) == pytest.approx(expected + 4 * 0.5)


def test_the_drift_is_pooled_over_arms() -> None:
    """Each arm of two visits has one degree of freedom: the deviation of its logarithms is |d| / sqrt(2)."""
    other = replace(PARTS, visits=((1.0,), (1.0,)))
    found = drift_of([PARTS, other])
    assert found.freedom == 2
    assert found.deviation == pytest.approx(math.sqrt(math.log(1.2) ** 2 / 2 / 2))
    with pytest.raises(ValueError, match="one of each"):
        drift_of([replace(PARTS, visits=((1.0,),))])


def test_the_noise_floor_is_the_least_drift() -> None:
    still = Drift(0.0, 3)
    even = replace(PARTS, visits=((0.1,) * 6, (0.1,) * 6))
    assert error_of(even, still, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert error_of(even, still, 0.07) == pytest.approx(0.07)
    assert error_of(even, Drift(0.1, 3), 0.07) == pytest.approx(3.182 * 0.1 * math.sqrt(1.5), rel=1e-3)


def test_what_a_run_will_take_lies_within_the_interval_in_95_of_100_cases() -> None:
    """Simulated: each visit, and the run, has a pace of its own, 5 % from visit to visit; steps scatter by 3 %."""
    random = np.random.default_rng(0)
    inside = runs = 0
    for _ in range(400):
        arms = []
        for _arm in range(4):
            paces = np.exp(random.normal(0.0, 0.05, size=3))
            visits = tuple(tuple(pace * random.normal(1.0, 0.03, size=40)) for pace in paces[:2])
            arms.append((replace(PARTS, visits=visits), paces[2]))
        drift = drift_of([parts for parts, _ in arms])
        for parts, pace in arms:
            found = around(parts.step_s, error_of(parts, drift, 0.0))
            inside += found.low <= pace <= found.high
            runs += 1
    assert 0.93 <= inside / runs <= 0.99


def test_ends_add_up_because_arms_slow_down_together() -> None:
    assert added((Estimate(1, 0.5, 2), Estimate(10, 9, 12))) == Estimate(11, 9.5, 14)
    assert added(()) == Estimate(0, 0, 0)
    assert around(10.0, 0.25) == Estimate(10.0, 8.0, 12.5)


def test_energy_is_the_measured_power_times_the_time_or_nothing() -> None:
    assert joules_of(PARTS, Estimate(100, 90, 110)) is None
    found = joules_of(replace(PARTS, watts=(50.0,) * 5), Estimate(100, 90, 110))
    assert found == Estimate(5000, 4500, 5500)
