"""The machine's pace on a fake machine that becomes slower and faster, and a real process that times the reference work."""

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median, stdev
from typing import Any

import pytest

from resbench.metrics.latency.clocks import Stopwatch
from resbench.metrics.latency.pace import pace, reference_work
from resbench.trial.findings import findings
from resbench.trial.measuring import measure
from resbench.trial.pacing import Pacing
from resbench.trial.processes import Workers
from resbench.trial.records import Arm, Calls, Round

_SPEC = importlib.util.spec_from_file_location("fake_machine", Path(__file__).with_name("test_measuring.py"))
assert _SPEC is not None
fake: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["fake_machine"] = fake
assert _SPEC.loader is not None
_SPEC.loader.exec_module(fake)

PACED = replace(fake.PLAN, pace_s=0.001, round_s=0.02, processes=3)
SINGLE = replace(PACED, stop=replace(PACED.stop, budget_s=2.0))


def repeat(number: int, own_pace_s: float) -> float:
    """The latency of one measurement on a machine whose speed wanders by 10 % from minute to minute."""
    machine = fake.Machine(seed=number)
    phase = 2.4 * number
    machine.slowness = lambda: 1.1 + 0.1 * math.sin(machine.now / 3 + phase)
    record = measure((fake.FAST,), SINGLE, machine.bench(own_pace_s), lambda _case: False)
    (found,) = findings(record)
    latency = found.find("latency")
    assert latency is not None
    assert record.surroundings
    assert not any(around.disturbed for around in record.surroundings)
    return latency.value


def test_at_its_own_pace_a_wandering_machine_gives_the_same_figure_again_and_again() -> None:
    as_timed = [repeat(number, 0.0) for number in range(8)]
    at_pace = [repeat(number, 0.0011) for number in range(8)]
    assert stdev(map(math.log, as_timed)) > 0.02
    assert stdev(map(math.log, at_pace)) < 0.003
    # The call takes ten times as long as the reference work, at any speed.
    assert median(at_pace) == pytest.approx(0.011, rel=0.003)


def test_a_paced_figure_stands_beside_the_one_as_timed_and_says_how_the_machine_ran() -> None:
    machine = fake.Machine()
    machine.slowness = lambda: 1.25
    record = measure((fake.FAST,), SINGLE, machine.bench(0.001), lambda _case: False)
    (found,) = findings(record)
    figures = {each.metric: each for each in found.measurements}
    assert figures["latency"].value == pytest.approx(0.010, rel=0.01)
    assert figures["latency_as_timed"].value == pytest.approx(0.0125, rel=0.01)
    assert figures["throughput"].value == pytest.approx(4 / 0.010, rel=0.01)
    assert "at this machine's pace (1 ms of reference work)" in figures["latency"].method
    assert any("it ran 25 % slower than that" in note for note in found.notes)
    # The device's time is as timed, and so are the durations that it is a share of: 0.8 of the call, one way or the other.
    assert found.diagnosis is not None
    assert "80 % of a synchronised call (12.5 ms), 80 % back to back (12.5 ms)" in found.diagnosis.evidence


def test_without_a_known_pace_figures_are_as_timed_and_a_varying_pace_is_said() -> None:
    machine = fake.Machine()
    machine.slowness = lambda: 1.0 + 0.2 * (int(2 * machine.now) % 2)
    record = measure((fake.FAST,), SINGLE, machine.bench(), lambda _case: False)
    (found,) = findings(record)
    assert found.find("latency_as_timed") is None
    (note,) = (note for note in found.notes if "pace" in note)
    assert note.startswith("The machine's pace varied by 20 % meanwhile: `resbench noise`")


def test_a_process_that_times_the_pace_and_dies_leaves_figures_as_timed() -> None:
    machine = fake.Machine()
    machine.failures["", "pace"] = {"error": "failed", "message": "gone"}
    record = measure((fake.FAST,), SINGLE, machine.bench(0.001), lambda _case: False)
    assert not record.arms[0].paced
    assert findings(record)[0].find("latency") is not None
    assert all(worker.closed for worker in machine.workers if worker.open)


def test_a_gpu_has_no_pace() -> None:
    machine = fake.Machine()
    record = measure(
        (replace(fake.FAST, device="cuda:0"),), SINGLE, machine.bench(0.001), lambda _case: False
    )
    assert ("pace", "") not in machine.log
    assert not record.arms[0].paced


def test_each_figure_is_divided_by_the_pace_around_it() -> None:
    arm = Arm(case=fake.FAST, pace_s=2.0)
    arm.rounds = [
        Round(0, 0, 0, (6.0, 8.0), disturbed=False, pace_s=4.0),
        Round(1, 0, 0, (3.0,), disturbed=False, pace_s=2.0),
        Round(1, 1, 0, (5.0,), disturbed=False),
    ]
    arm.rounds_of_calls = [[Calls(10, 40.0, 4.0), Calls(10, 20.0)]]
    assert arm.latencies() == [[3.0, 4.0], [3.0, 5.0]]
    assert arm.as_timed() == [[6.0, 8.0], [3.0, 5.0]]
    assert arm.rates() == [[2.0, 2.0]]  # 4 images a call


def test_a_real_process_times_the_reference_work_with_its_own_threads() -> None:
    with Workers() as start:
        pacing = Pacing(start, 0.001)
        pacing.prepare([replace(fake.FAST, threads=1)])
        first, second = pacing.before(replace(fake.FAST, threads=1)), pacing.now(1)
        pacing.close()
    assert first > 0
    assert second > 0
    assert pacing.worked_s > 0
    assert pacing.now(1) == 0


def test_the_reference_work_is_116_million_macs() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        reference_work()()
    assert counter.get_total_flops() / 2 == 128 * 128 * 9 * 28 * 28
    assert len(pace(reference_work(), Stopwatch(), 0.0)) == 1
