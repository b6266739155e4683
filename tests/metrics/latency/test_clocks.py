from typing import Any

import pytest

from resbench.metrics.latency.clocks import back_to_back, single_calls


def test_work_still_on_the_device_belongs_to_the_call_that_gave_it(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 2.0)
    machine.pending = 100.0  # of somebody else, before the clock starts
    assert machine.stopwatch.seconds(machine.call) == 2.0
    assert machine.stopwatch.seconds(machine.call, times=3) == 6.0
    assert machine.synchronised == 4


def test_single_calls_are_synchronised_one_by_one_after_a_lead_in(machine_of: Any) -> None:
    machine = machine_of(lambda number: 5.0 if number == 0 else 0.25)
    assert single_calls(machine.call, machine.stopwatch, seconds=1.0) == [0.25] * 4
    assert machine.calls == 5
    assert machine.synchronised == 2 * 5


@pytest.mark.parametrize(
    ("seconds", "least", "expected"), [(0.0, 1, 1), (0.0, 7, 7), (1.0, 1, 4), (1.0, 7, 7)]
)
def test_single_calls_last_long_enough_and_are_enough(
    machine_of: Any, seconds: float, least: int, expected: int
) -> None:
    machine = machine_of(lambda _number: 0.25)
    found = single_calls(machine.call, machine.stopwatch, seconds=seconds, calls_at_least=least, lead_in=0)
    assert len(found) == machine.calls == expected


def test_calls_back_to_back_are_synchronised_at_the_ends_only(machine_of: Any) -> None:
    machine = machine_of(lambda _number: 0.02)
    found = back_to_back(machine.call, machine.stopwatch, seconds=0.1, call_s=0.02, lead_in=0)
    assert found.calls == machine.calls == 5
    assert found.seconds == pytest.approx(0.1)
    assert machine.synchronised == 2


@pytest.mark.parametrize("call_s", [3.0, 0.0])
def test_a_call_longer_than_a_round_is_a_round(machine_of: Any, call_s: float) -> None:
    machine = machine_of(lambda _number: 3.0)
    assert back_to_back(machine.call, machine.stopwatch, seconds=0.1, call_s=call_s) == (1, 3.0)
