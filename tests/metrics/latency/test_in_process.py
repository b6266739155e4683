from typing import Any

import pytest

from resbench.metrics.latency.in_process import Plan, measure_latency, measure_throughput, warm_up
from resbench.metrics.latency.steady import SteadyRule
from resbench.metrics.latency.stopping import StopRule
from resbench.results import Statistic, Unit

PLAN = Plan(
    steady=SteadyRule(seconds=0.0), stop=StopRule(budget_s=9.5, samples_at_least=10), rounds=10, round_s=0.1
)


def test_latency_is_the_median_and_keeps_its_samples_in_order(machine_of: Any) -> None:
    durations = [5.0, 1.0, 3.0, 2.0, 4.0, 9.0]
    machine = machine_of(lambda number: durations[number])
    found, ended = measure_latency(machine.call, machine.stopwatch, PLAN)
    assert (found.metric, found.unit, found.statistic) == ("latency", Unit.SECOND, Statistic.MEDIAN)
    assert found.value == 2.5
    assert list(found.samples) == durations[:4]  # 11 s of a budget of 9.5
    assert not ended.met
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def test_the_warm_up_is_the_plans(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 1.0)
    assert warm_up(machine.call, machine.stopwatch, PLAN).calls == 10  # its limit of 10 s


def test_throughput_is_images_over_the_time_of_a_round(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 0.02)
    found = measure_throughput(machine.call, machine.stopwatch, batch_size=8, latency_s=0.02, plan=PLAN)
    assert found.value == pytest.approx(8 / 0.02)
    assert (found.metric, found.unit, found.n) == ("throughput", Unit.PER_SECOND, 10)
    assert machine.calls == 10 * 5
    assert machine.synchronised == 2 * 10  # at the ends of a round, never inside
    assert found.method == "rounds of 5 calls back to back"
