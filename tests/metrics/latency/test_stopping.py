"""The quality gate, on a fake clock."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from resbench.metrics.latency.intervals import Estimate
from resbench.metrics.latency.stopping import StopRule, ended, is_met, sample

Draw = Callable[[], list[float]]


def drawing(machine: Any, size: int = 1) -> Draw:
    return lambda: [machine.stopwatch.seconds(machine.call) for _ in range(size)]


@pytest.mark.parametrize(("spread", "most"), [(0.001, 60), (0.05, 6_000)])
def test_sampling_ends_when_the_interval_is_narrow_enough(machine_of: Any, spread: float, most: int) -> None:
    rng = np.random.default_rng(2)
    machine = machine_of(lambda _number: float(np.exp(spread * rng.standard_normal())))
    rule = StopRule(precision=0.01, budget_s=1e9)
    found, reason = sample(drawing(machine), rule, machine.stopwatch.clock)
    assert reason.met
    assert reason.criterion == ""
    assert rule.samples_at_least <= len(found) == machine.calls <= most


def test_more_noise_takes_more_samples(machine_of: Any) -> None:
    rng = np.random.default_rng(2)
    numbers = []
    for spread in (0.01, 0.04, 0.16):
        machine = machine_of(lambda _number, spread=spread: float(np.exp(spread * rng.standard_normal())))
        found, _ = sample(drawing(machine), StopRule(precision=0.02, budget_s=1e9), machine.stopwatch.clock)
        numbers.append(len(found))
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[2] / 10


def test_the_budget_ends_sampling_and_the_criterion_is_named(machine_of: Any) -> None:
    rng = np.random.default_rng(2)
    machine = machine_of(lambda _number: float(np.exp(rng.standard_normal())))
    found, reason = sample(drawing(machine, 5), StopRule(budget_s=200.0), machine.stopwatch.clock)
    assert not reason.met
    assert 200.0 <= sum(found) < 260.0
    assert reason.criterion.startswith("the 200 s of the time budget ended with the median known to +-")
    assert reason.criterion.endswith(" %, not to +-1 %")


def test_too_few_samples_are_never_precise(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 3.0)
    found, reason = sample(drawing(machine), StopRule(budget_s=10.0), machine.stopwatch.clock)
    assert len(found) == 4
    assert reason.criterion == "the 10 s of the time budget ended after 4 samples, of 30 at least"


def test_the_longer_arm_of_the_interval_decides() -> None:
    rule = StopRule(precision=0.01, samples_at_least=2)
    assert is_met(Estimate(100.0, 99.0, 101.0), 2, rule)
    assert not is_met(Estimate(100.0, 99.9, 101.1), 2, rule)
    assert not is_met(Estimate(100.0, 98.9, 100.1), 2, rule)
    assert ended(Estimate(100.0, 98.0, 100.1), 2, 0.0, rule).criterion == (
        "sampling ended with the median known to +-2 %, not to +-1 %"
    )


def test_the_interval_still_covers_when_looking_decides_when_to_stop(machine_of: Any) -> None:
    rng, held = np.random.default_rng(8), []
    for _ in range(150):
        machine = machine_of(lambda _number: float(np.exp(0.1 * rng.standard_normal())))
        found, reason = sample(
            drawing(machine), StopRule(precision=0.03, budget_s=1e9), machine.stopwatch.clock
        )
        assert reason.met
        held.append(0.97 <= np.median(found) <= 1.03)
    assert np.mean(held) >= 0.93  # the true median 1 lies within the precision that was promised
