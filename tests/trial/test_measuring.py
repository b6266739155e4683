"""The schedule on a fake machine: processes, rounds, random order, stopping, failures. No process is started."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from resbench.errors import UsageError
from resbench.metrics.latency.disturbance import Reading
from resbench.metrics.latency.steady import SteadyRule
from resbench.metrics.latency.stopping import StopRule
from resbench.trial.case import Case
from resbench.trial.findings import findings
from resbench.trial.measuring import measure
from resbench.trial.plan import Bench, Plan
from resbench.trial.processes import Worker
from resbench.trial.records import Failure, Record

FAST, SLOW = Case(model="fast", batch_size=4), Case(model="slow", batch_size=4)
PLAN = Plan(
    stop=StopRule(precision=0.01, budget_s=20.0),
    steady=SteadyRule(),
    processes=4,
    round_s=0.1,
    pace_s=0.0,
    block_s=1.0,
    seed=3,
)


class FakeWorker:
    """A process whose calls take the model's time, times a factor of its own, times the drift of the machine."""

    def __init__(self, machine: "Machine", threads: int) -> None:
        self.machine, self.level, self.open, self.closed = machine, machine.level(), "", False
        self.ready = {"cores": [0], "threads": threads}
        self.cpu_s = 2.0  # importing torch took as much

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        assert not self.closed
        if command["do"] == "open":
            return self._opened(command)
        self.machine.log.append((command["do"], self.open))
        failure = self.machine.failures.get((self.open, command["do"]))
        if failure is not None:
            return failure
        return {**getattr(self, f"_{command['do']}")(command), "cpu_s": self.cpu_s}

    def close(self) -> None:
        self.closed = True

    def _opened(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self.open = command["case"]["model"]
        self.machine.log.append(("check" if command["check"] else "open", self.open))
        self.machine.living = [worker for worker in self.machine.workers if worker.open and not worker.closed]
        crowded = self.open in self.machine.big and len(self.machine.living) > 1
        failure = self.machine.failures.get((self.open, "open"))
        if crowded:
            failure = {"error": "oom", "message": "no memory"}
        if failure is not None:
            return failure
        cold = {"load_s": 0.5, "prepare_s": 0.1, "compile_s": 0.0, "first_call_s": 0.3}
        agreement = {"sentence": "Output is right."} if command["check"] else {}
        opened = {"cold": cold, "settings": {}, "versions": {}, "notes": [], "agreement": agreement}
        return {**opened, "cpu_s": self.cpu_s}

    def _call(self) -> float:
        seconds = self.machine.call_s(self.open) * self.level
        self.machine.pass_time(seconds)
        self.cpu_s += seconds
        return seconds

    def _warm(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {"calls": 16, "seconds": 16 * self._call(), "steady": True, "steady_from": 0, "call_s": 0.1}

    def _pace(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        seconds = self.machine.slowness() * self.machine.work_s
        self.machine.pass_time(seconds)
        self.cpu_s += seconds
        return {"samples_s": [seconds]}

    def _sample(self, command: Mapping[str, Any]) -> dict[str, Any]:
        found = [self._call()]
        while sum(found) < command["seconds"]:
            found.append(self._call())
        return {"samples_s": found}

    def _throughput(self, command: Mapping[str, Any]) -> dict[str, Any]:
        times = max(1, round(command["seconds"] / command["call_s"]))
        return {"calls": times, "seconds": sum(self._call() for _ in range(times))}

    def _device(self, command: Mapping[str, Any]) -> dict[str, Any]:
        return {"samples_s": [0.8 * self._call() for _ in range(command["calls"])], "method": "fake"}

    def _parts(self, command: Mapping[str, Any]) -> dict[str, Any]:
        return {"parts": [{"forward": 0.3, "backward": 0.6, "optimizer": 0.1}] * command["calls"]}


class Machine:
    """Time passes by calls only. `spread` is that between processes, `noise` that of calls."""

    def __init__(
        self, *, spread: float = 0.0, noise: float = 0.002, drift: float = 0.0, seed: int = 0
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.spread, self.noise, self.drift = spread, noise, drift
        self.now, self.busy, self.foreign = 0.0, 0.0, 0.0
        self.slowness: Callable[[], float] = lambda: 1.0
        self.work_s = 0.001
        self.times = {"fast": 0.010, "slow": 0.0105}
        self.workers: list[FakeWorker] = []
        self.living: list[FakeWorker] = []
        self.log: list[tuple[str, str]] = []
        self.failures: dict[tuple[str, str], dict[str, Any]] = {}
        self.big: set[str] = set()
        self.looks = 0

    def level(self) -> float:
        return float(np.exp(self.spread * self.random.standard_normal()))

    def call_s(self, model: str) -> float:
        noise = float(np.exp(self.noise * self.random.standard_normal()))
        return self.times[model] * (1 + self.drift * self.now) * self.slowness() * noise

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.busy += seconds * (1 + self.foreign)

    def look(self) -> Reading:
        self.looks += 1
        return Reading(self.now, self.busy, 0.0, None)

    def start(self, threads: Sequence[int]) -> list[Worker]:
        started = [FakeWorker(self, count) for count in threads]
        self.workers += started
        return list(started)

    def bench(self, pace_s: float = 0.0) -> Bench:
        return Bench(
            start=self.start,
            look=self.look,
            clock=lambda: self.now,
            own_cpu_s=lambda: 0.0,
            pace_s=lambda _threads: pace_s,
        )


def measured(machine: Machine, *cases: Case, plan: Plan = PLAN, check: str = "") -> Record:
    return measure(cases, plan, machine.bench(), lambda case: case.model == check)


def test_each_case_gets_fresh_processes_and_none_is_left() -> None:
    machine = Machine()
    record = measured(machine, FAST, SLOW)
    assert record.processes == 4
    assert Counter(machine.log)["open", "fast"] == Counter(machine.log)["open", "slow"] == 4
    assert all(worker.closed for worker in machine.workers)
    assert [len(arm.cold) for arm in record.arms] == [4, 4]
    assert [len(arm.latencies()) for arm in record.arms] == [4, 4]


def test_rounds_of_the_arms_lie_side_by_side_in_random_order() -> None:
    record = measured(Machine(), FAST, SLOW)
    places: dict[tuple[int, int], dict[int, int]] = {}
    for place, arm in enumerate(record.arms):
        for found in arm.rounds:
            places.setdefault((found.process, found.number), {})[place] = found.position
    assert all(sorted(each.values()) == [0, 1] for each in places.values())
    first = Counter(each[0] for each in places.values())
    assert len(places) >= 20
    # A fair coin: outside of these about once in 400 times; the seed is fixed.
    assert 0.25 * len(places) < first[0] < 0.75 * len(places)


def test_the_order_is_that_of_the_seed() -> None:
    orders = [
        [
            found.position
            for found in measured(Machine(), FAST, SLOW, plan=replace(PLAN, seed=seed)).arms[0].rounds
        ]
        for seed in (3, 3, 4)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_drift_moves_latencies_but_not_the_ratio() -> None:
    found = findings(measured(Machine(drift=0.01), FAST, SLOW))
    speed = found[1].speed
    assert speed is not None
    assert speed.low <= 0.010 / 0.0105 <= speed.high
    assert speed.relative_half_width < 0.01
    latency = found[0].find("latency")
    assert latency is not None
    assert latency.high is not None
    assert latency.low is not None
    assert latency.high / latency.low > 1.02  # over the 20 s of each arm it drifted by far more


def test_a_planted_difference_is_found_with_its_sign() -> None:
    right = 0
    for seed in range(10):
        machine = Machine(spread=0.01, noise=0.05, seed=seed)
        speed = findings(measured(machine, FAST, SLOW))[1].speed
        assert speed is not None
        right += speed.high < 1
    assert right >= 9


def test_processes_that_agree_end_the_measurement_early() -> None:
    machine = Machine(noise=0.002)
    record = measured(machine, FAST)
    assert record.processes == 4
    assert record.sampling_s < 15
    assert record.criterion == {}


def test_processes_that_differ_get_company_and_then_the_criterion_is_named() -> None:
    record = measured(Machine(spread=0.05, noise=0.002), FAST)
    assert 4 < record.processes <= 12
    assert "with the median known to +-" in record.criterion[0]
    assert findings(record)[0].criterion == record.criterion[0]


def test_noise_within_a_process_is_sampled_until_the_budget_ends() -> None:
    record = measured(Machine(noise=1.0), FAST)
    assert record.processes == 4
    assert 20.0 <= record.sampling_s < 40.0
    assert record.criterion[0].startswith("the 20 s of the time budget ended")


@pytest.mark.parametrize("pace_s", [0.0, 0.001])
def test_a_disturbed_block_is_measured_again_and_marked(pace_s: float) -> None:
    machine, plan = Machine(), replace(PLAN, pace_s=pace_s)
    machine.foreign = 0.5
    record = measured(machine, FAST, plan=plan)
    assert record.again >= 4 * PLAN.again  # in each process until it is clear that the machine is never calm
    assert all(found.disturbed for found in record.arms[0].rounds)
    assert all(around.foreign_cores == pytest.approx(0.5) for around in record.surroundings)
    assert findings(record)[0].disturbed == 1.0
    assert measured(Machine(), FAST, plan=plan).again == 0


def test_a_case_that_fails_has_its_reason_and_the_others_go_on() -> None:
    machine = Machine()
    machine.failures["slow", "open"] = {"error": "failed", "message": "RuntimeError: no such thing"}
    found = findings(measured(machine, FAST, SLOW))
    assert found[0].find("latency") is not None
    assert found[1].failure == ("failed", "RuntimeError: no such thing")
    assert found[1].measurements == ()
    assert found[1].speed is None


def test_a_process_that_dies_on_the_way_is_a_result() -> None:
    machine = Machine()
    machine.failures["slow", "throughput"] = {"error": "oom", "message": "the system killed the process"}
    record = measured(machine, FAST, SLOW)
    assert record.arms[1].failure == ("oom", "the system killed the process")
    assert record.arms[0].failure is None
    assert len(record.arms[0].latencies()) == 4
    notes = findings(record)[1].notes
    assert any("failed on the way" in note for note in notes)


def test_what_does_not_fit_beside_the_others_is_measured_alone_and_never_smaller() -> None:
    machine = Machine()
    machine.big = {"slow"}
    found = findings(measured(machine, FAST, SLOW))
    latency = found[1].find("latency")
    assert latency is not None
    assert latency.value == pytest.approx(0.0105, rel=0.01)
    assert found[1].case.batch_size == 4
    assert found[1].failure is None
    assert any("measured without them" in note for note in found[1].notes)
    assert found[1].speed is None  # its rounds have the numbers of the other's, but lay beside none of them


def test_what_fits_nowhere_is_out_of_memory() -> None:
    machine = Machine()
    machine.failures["fast", "open"] = {"error": "oom", "message": "no memory"}
    (found,) = findings(measured(machine, FAST))
    assert found.failure == ("oom", "no memory")
    assert found.measurements == ()


def test_of_what_is_known_to_fail_nothing_is_tried() -> None:
    machine = Machine()
    known = Failure("oom", "not a single image fits")
    record = measure((SLOW, FAST), PLAN, machine.bench(), lambda _case: True, {0: known})
    assert record.arms[0].failure == known
    assert {model for _, model in machine.log if model} == {"fast"}
    assert findings(record)[1].find("latency") is not None
    assert findings(record)[1].speed is None  # there is nothing to compare with
    checked = 1
    assert len(machine.workers) == record.processes + checked  # none is started only to be ended


def test_after_a_failure_processes_are_started_once_more_and_no_oftener() -> None:
    machine = Machine()
    machine.failures["slow", "open"] = {"error": "failed", "message": "RuntimeError: no such thing"}
    record = measured(machine, FAST, SLOW)
    assert len(record.arms[0].latencies()) == record.processes == 4
    # Three replicates of two arms at once, and then the other three of one.
    assert len(machine.workers) == 2 * 3 + 3


def test_bad_input_ends_the_whole_and_no_process_is_left() -> None:
    machine = Machine()
    machine.failures["slow", "open"] = {"error": "usage", "message": "backend 'x' needs y"}
    with pytest.raises(UsageError, match="needs y"):
        measured(machine, FAST, SLOW)


def test_an_output_is_checked_in_a_process_that_measures_nothing() -> None:
    machine = Machine()
    record = measured(machine, FAST, SLOW, check="slow")
    assert machine.log[0] == ("check", "slow")
    assert machine.workers[0].closed
    assert [doing for doing, model in machine.log if model == "slow"].count("check") == 1
    assert "Output is right." in findings(record)[1].notes


def test_a_wrong_backend_is_refused_before_it_is_measured() -> None:
    machine = Machine()
    machine.failures["slow", "open"] = {"error": "failed", "message": "backend 'x' computes something else"}
    measured(machine, FAST, SLOW, check="slow")
    assert [doing for doing, model in machine.log if model == "slow"] == ["check"]


def test_a_training_step_is_timed_in_parts() -> None:
    record = measured(Machine(), replace(FAST, mode="training"))
    figures = {found.metric: found for found in findings(record)[0].measurements}
    assert [figures[f"step_{part}"].value for part in ("forward", "backward", "optimizer")] == pytest.approx(
        [0.3, 0.6, 0.1]
    )


def test_every_figure_has_its_n_interval_method_and_samples() -> None:
    (found,) = findings(measured(Machine(), FAST))
    assert [each.metric for each in found.measurements] == [
        "latency",
        "throughput",
        "device_time",
        "cold_load",
        "cold_prepare",
        "cold_first_call",
    ]
    for each in found.measurements:
        assert each.n == len(each.samples) >= 4
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
        assert each.method.endswith("4 fresh processes")
    throughput = found.find("throughput")
    assert throughput is not None
    assert throughput.value == pytest.approx(4 / 0.010, rel=0.01)
    assert found.diagnosis is not None
    assert found.diagnosis.bound == "device-bound"
