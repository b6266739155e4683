"""Measures cases side by side: fresh processes for each, rounds interleaved in random order, until precise enough.

Processes differ for life and machines drift, so no arm is measured after another: within a process of each arm, short
rounds of calls alternate; and the whole is done again in further processes, whose spread the intervals hold. All but
the one that measures sleep.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from resbench.errors import UsageError
from resbench.metrics.latency.clocks import LEAD_IN_CALLS
from resbench.metrics.latency.disturbance import calmest, undisturbed
from resbench.metrics.latency.intervals import median_over_processes
from resbench.metrics.latency.stopping import ended, is_met
from resbench.trial.case import Case
from resbench.trial.pacing import Pacing
from resbench.trial.plan import Bench, Plan
from resbench.trial.processes import Worker
from resbench.trial.records import Arm, Calls, Failure, Record, Round

_LONG_CALL_S = 0.01
"""After a pause a call is late by a fraction of a millisecond: one that lasts longer needs no call before it."""
_STARTED_AT_ONCE = 6
"""Processes that import torch side by side, before any of them measures; each holds some 200 MiB."""


def measure(
    cases: Sequence[Case],
    plan: Plan,
    bench: Bench,
    needs_check: Callable[[Case], bool],
    failures: Mapping[int, Failure] = MappingProxyType({}),
) -> Record:
    """Measure cases side by side.

    Args:
        cases: the arms.
        plan: how much.
        bench: on what.
        needs_check: whether a case's output has to be compared with eager's first.
        failures: of cases that are known to fail, by their place: they are in the record, and nothing is tried of them.

    Returns:
        The raw record. An arm that fails has its reason in it, and the others go on; one whose memory does not suffice
        beside the others is measured again without them.

    Raises:
        UsageError: a case asks for what is not there.
    """
    record = Record(
        arms=[
            Arm(case=case, pace_s=_own_pace_s(case, bench), failure=failures.get(place))
            for place, case in enumerate(cases)
        ]
    )
    _check(record.arms, bench, needs_check)
    _Measuring(record, plan, bench).run()
    if len(cases) > 1:
        for place, arm in enumerate(record.arms):
            crowded = arm.failure is not None and arm.failure.kind == "oom" and not arm.cold
            if crowded and place not in failures:
                _alone(record, place, plan, bench)
    return record


def _own_pace_s(case: Case, bench: Bench) -> float:
    return bench.pace_s(case.threads) if case.device == "cpu" else 0.0


def _check(arms: Sequence[Arm], bench: Bench, needs_check: Callable[[Case], bool]) -> None:
    """Compare outputs in processes of their own: those that measure start cold."""
    for arm in arms:
        if arm.failure is not None or not needs_check(arm.case):
            continue
        bench.say(f"checking the output of {arm.case.backend}")
        (worker,) = bench.start([arm.case.threads])
        answer = worker.ask({"do": "open", "case": asdict(arm.case), "check": True})
        worker.close()
        if not _failed(arm, answer):
            arm.opened["agreement"] = answer["agreement"]


def _alone(record: Record, place: int, plan: Plan, bench: Bench) -> None:
    case = record.arms[place].case
    before = record.arms[place]
    alone = Record(arms=[Arm(case=case, alone=True, opened=before.opened, pace_s=before.pace_s)])
    _Measuring(alone, plan, bench).run()
    record.arms[place] = alone.arms[0]
    record.surroundings += alone.surroundings
    record.again += alone.again
    record.sampling_s += alone.sampling_s
    if 0 in alone.criterion:
        record.criterion[place] = alone.criterion[0]


def _failed(arm: Arm, answer: dict[str, Any]) -> bool:
    """Note a failure with the arm; what cannot be asked for at all ends the whole."""
    if "error" not in answer:
        return False
    if answer["error"] == "usage":
        raise UsageError(answer["message"])
    arm.failure = Failure(answer["error"], answer["message"])
    return True


class _Seat(NamedTuple):
    """An arm with its process in the present replicate."""

    place: int
    arm: Arm
    worker: Worker


class _Measuring:
    """The state of one measurement: what is left of the time, and which processes wait."""

    def __init__(self, record: Record, plan: Plan, bench: Bench) -> None:
        self._record, self._plan, self._bench = record, plan, bench
        self._random = np.random.default_rng(plan.seed)
        self._waiting: list[Worker] = []
        self._waiting_for = 0  # arms
        self._cpu_s: dict[int, float] = {}
        self._pacing = Pacing(bench.start, plan.pace_s)

    def run(self) -> None:
        """Measure replicate after replicate until the rule is met or the time is over."""
        number = 0
        self._pacing.prepare([arm.case for arm in self._record.arms])
        while self._living() and (number < self._plan.processes or self._goes_on(number)):
            self._replicate(number)
            number += 1
        for worker in self._waiting:
            worker.close()
        self._pacing.close()
        self._record.processes = number
        for place, arm in enumerate(self._record.arms):
            if arm.rounds and (reason := self._criterion(arm)):
                self._record.criterion[place] = reason

    def _living(self) -> list[tuple[int, Arm]]:
        return [(place, arm) for place, arm in enumerate(self._record.arms) if arm.failure is None]

    def _budget_s(self) -> float:
        return self._plan.stop.budget_s * len(self._living())

    def _goes_on(self, number: int) -> bool:
        """Whether another process of each would help and there is time for it."""
        if number >= 3 * self._plan.processes or self._record.sampling_s >= self._budget_s():
            return False
        return not all(self._is_met(arm) for _, arm in self._living())

    def _is_met(self, arm: Arm) -> bool:
        found = arm.latencies()
        return is_met(median_over_processes(found), sum(map(len, found)), self._plan.stop)

    def _criterion(self, arm: Arm) -> str:
        found = arm.latencies()
        spent = self._record.sampling_s / max(1, len(self._living()))
        return ended(median_over_processes(found), sum(map(len, found)), spent, self._plan.stop).criterion

    def _replicate(self, number: int) -> None:
        seats = self._seated(number)
        try:
            seats = [seat for seat in seats if self._opened(seat)]
            for seat in seats:
                self._bench.say(f"process {number + 1}: warming up {seat.arm.case.model}")
                self._note(seat, {"do": "warm", "rule": asdict(self._plan.steady)}, seat.arm.warm)
            begin = self._bench.clock()
            self._rounds(number, seats)
            self._throughput(seats)
            self._details(seats)
            self._record.sampling_s += self._bench.clock() - begin
        finally:
            for seat in seats:
                seat.worker.close()

    def _seated(self, number: int) -> list[_Seat]:
        living = self._living()
        # Processes are started for whole replicates. When an arm fails, those that were meant for it are left over.
        if len(self._waiting) < len(living) or len(living) < self._waiting_for:
            for worker in self._waiting:
                worker.close()
            self._waiting.clear()
            self._waiting_for = len(living)
            self._bench.say(f"process {number + 1}: starting")
            replicates = max(1, min(_STARTED_AT_ONCE // len(living), self._plan.processes - number))
            threads = [arm.case.threads for _ in range(replicates) for _, arm in living]
            self._waiting += self._bench.start(threads)
        return [_Seat(place, arm, self._waiting_with(arm.case.threads)) for place, arm in living]

    def _waiting_with(self, threads: int) -> Worker:
        """Take a waiting process with so many threads; one that died before it could say how many will say that."""
        found = next(worker for worker in self._waiting if worker.ready.get("threads", threads) == threads)
        self._waiting.remove(found)
        return found

    def _opened(self, seat: _Seat) -> bool:
        arm = seat.arm
        answer = seat.worker.ask({"do": "open", "case": asdict(arm.case), "check": False})
        if _failed(arm, answer):
            seat.worker.close()
            return False
        arm.cold.append(answer["cold"])
        self._cpu_s[id(seat.worker)] = answer["cpu_s"]
        if "settings" not in arm.opened:
            arm.opened = {**answer, "agreement": arm.opened.get("agreement", answer["agreement"])}
            self._record.ready = self._record.ready or seat.worker.ready
        return True

    def _rounds(self, number: int, seats: list[_Seat]) -> None:
        """Interleave rounds until this replicate's share of the time is over, or each arm is precise within it."""
        plan, begin = self._plan, self._bench.clock()
        share_s = plan.stop.budget_s * len(seats) / plan.processes
        again, done = plan.again, 0
        while any(seat.arm.failure is None for seat in seats):
            self._bench.say(f"process {number + 1}: latency, round {done + 1}")
            attempts = undisturbed(partial(self._block, number, done, seats), self._bench.look, again=again)
            rounds, around = calmest(attempts)
            again = 0 if around.disturbed else again
            self._record.again += len(attempts) - 1
            self._record.surroundings.append(around)
            for place, found in rounds:
                self._record.arms[place].rounds.append(found._replace(disturbed=around.disturbed))
            done = 1 + max((found.number for _, found in rounds), default=done)
            if self._bench.clock() - begin >= share_s or self._within(number, seats):
                return

    def _block(self, number: int, first: int, seats: list[_Seat]) -> tuple[list[tuple[int, Round]], float]:
        """Return some rounds of all arms, with the CPU time that they took of us."""
        begin, beside_s = self._bench.clock(), self._beside_s()
        found: list[tuple[int, Round]] = []
        worked_s, done = 0.0, first
        self._pacing.forget()
        while done == first or self._bench.clock() - begin < self._plan.block_s:
            for position, index in enumerate(self._random.permutation(len(seats))):
                seat = seats[index]
                before_s = self._pacing.before(seat.arm.case)
                answer = self._asked(seat, self._sampling(seat))
                if answer is not None:
                    worked_s += answer["worked_s"]
                    samples = tuple(answer["samples_s"])
                    pace_s = self._pacing.around(seat.arm.case, before_s)
                    sampled = Round(number, done, position, samples, disturbed=False, pace_s=pace_s)
                    found.append((seat.place, sampled))
            done += 1
            if all(seat.arm.failure is not None for seat in seats):
                break
        return found, worked_s + self._beside_s() - beside_s

    def _beside_s(self) -> float:
        """Return the CPU seconds so far of this process and of those that time the reference work."""
        return self._bench.own_cpu_s() + self._pacing.worked_s

    def _sampling(self, seat: _Seat) -> dict[str, Any]:
        rounds = seat.arm.rounds
        long = bool(rounds) and min(rounds[-1].samples_s) > _LONG_CALL_S
        return {
            "do": "sample",
            "seconds": self._plan.round_s,
            "calls": 1,
            "lead_in": 0 if long else LEAD_IN_CALLS,
        }

    def _within(self, number: int, seats: list[_Seat]) -> bool:
        """Whether each arm is precise within this process: what is left then serves further processes better."""
        for seat in seats:
            found = [
                sample for each in seat.arm.rounds if each.process == number for sample in each.samples_s
            ]
            least = self._plan.stop.samples_at_least
            if len(found) < least or not is_met(median_over_processes([found]), len(found), self._plan.stop):
                return False
        return True

    def _throughput(self, seats: list[_Seat]) -> None:
        for seat in seats:
            if seat.arm.failure is None:
                seat.arm.rounds_of_calls.append([])
        for _ in range(self._plan.throughput_rounds):
            self._bench.say("throughput")
            for index in self._random.permutation(len(seats)):
                seat = seats[index]
                if seat.arm.failure is not None:
                    continue
                call_s = float(np.median(seat.arm.rounds[-1].samples_s)) if seat.arm.rounds else 1.0
                self._pacing.forget()
                before_s = self._pacing.before(seat.arm.case)
                answer = self._asked(
                    seat, {"do": "throughput", "seconds": self._plan.throughput_s, "call_s": call_s}
                )
                if answer is not None:
                    pace_s = self._pacing.around(seat.arm.case, before_s)
                    seat.arm.rounds_of_calls[-1].append(Calls(answer["calls"], answer["seconds"], pace_s))

    def _details(self, seats: list[_Seat]) -> None:
        """Time what lies inside of a call: the device's part, and the parts of a training step."""
        for seat in seats:
            arm = seat.arm
            if arm.failure is not None:
                continue
            if self._plan.device_calls:
                self._bench.say("device time")
                answer = self._asked(seat, {"do": "device", "calls": self._plan.device_calls})
                if answer is not None and answer["samples_s"]:
                    arm.device.append(answer["samples_s"])
                    arm.device_method = answer["method"]
            if arm.case.mode == "training" and arm.failure is None:
                parts = self._asked(seat, {"do": "parts", "calls": self._plan.part_calls})
                if parts is not None:
                    arm.parts.append(parts["parts"])

    def _note(self, seat: _Seat, command: dict[str, Any], where: list[dict[str, Any]]) -> None:
        answer = self._asked(seat, command)
        if answer is not None:
            where.append(answer)

    def _asked(self, seat: _Seat, command: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer with the CPU seconds that it took, or None where the arm has failed now or before."""
        if seat.arm.failure is not None:
            return None
        answer = seat.worker.ask(command)
        if _failed(seat.arm, answer):
            return None
        before = self._cpu_s.get(id(seat.worker), 0.0)
        self._cpu_s[id(seat.worker)] = answer["cpu_s"]
        return {**answer, "worked_s": answer["cpu_s"] - before}
