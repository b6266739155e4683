"""Can a measured latency be trusted? Repeats of one measurement by three protocols, and a planted difference.

A/A: resnet18, batch 1, is measured again and again by resbench, by the protocol of timm's benchmark.py (10 calls to warm
up, the mean of 40) and by `torch.utils.benchmark`'s `adaptive_autorange`; each gets the same time a repeat, from the start
of its processes to their end, and repeats its protocol as often as fits. The less repeats differ, the better; and an
interval that is said to hold 95 of 100 times should hold the median of all repeats.

Planted: a network is measured beside one that does the same and then waits for 5 % of the time that it took.

resbench brings its figures to the machine's pace, which `resbench noise` measures once; so does this benchmark before the
first repeat, and prints how long that took. As timed, without it, its figures stand beside.

All three protocols take turns in random order. Nothing else should run. The defaults take about half an hour:

    pytest benchmarks/test_trust.py -s

Environment: RESBENCH_TRUST_REPEATS (20), RESBENCH_TRUST_SECONDS (of a repeat, 20), RESBENCH_TRUST_PLANTED_SECONDS (of
sampling, both arms together, 10), RESBENCH_TRUST_THREADS (all cores).
"""

import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from resbench.environment.cpu import usable_cores
from resbench.metrics.latency.steady import SteadyRule
from resbench.metrics.latency.stopping import StopRule
from resbench.trial.case import Case
from resbench.trial.findings import Finding, findings
from resbench.trial.noise import floor_of
from resbench.trial.plan import Plan
from resbench.trial.side_by_side import measure_side_by_side

REPEATS = int(os.environ.get("RESBENCH_TRUST_REPEATS", "20"))
SECONDS = float(os.environ.get("RESBENCH_TRUST_SECONDS", "20"))
PLANTED_SECONDS = float(os.environ.get("RESBENCH_TRUST_PLANTED_SECONDS", "10"))
THREADS = int(os.environ.get("RESBENCH_TRUST_THREADS", str(len(usable_cores()))))
FULL = REPEATS >= 20
"""Fewer repeats are a rehearsal: nothing is asserted of their figures."""

PLAN = Plan(
    # No precision ends a repeat early: it uses its time.
    stop=StopRule(precision=0.0, samples_at_least=10),
    steady=SteadyRule(seconds=0.3, limit_s=1.0),
    # Of five medians Student's quantile is 2.8, of three 4.3: what an interval loses by few processes is more than these cost.
    processes=5,
    throughput_rounds=0,
    device_calls=0,
    again=1,
)
LEAST_SAMPLING_S = 1.0

COMMON = """
import json, math, statistics, sys, time
begin = time.perf_counter()
threads, seconds = int(sys.argv[1]), float(sys.argv[2])
import torch
torch.set_num_threads(threads)
from resbench.models.outside import open_model
model, images = open_model("resnet18").module.eval(), torch.randn(1, 3, 224, 224)
def call():
    with torch.inference_mode():
        return model(images)
results, interval, longest = [], None, 0.0

def another_fits():
    # one more run of the protocol, as long as the longest so far, ends in time
    return not results or time.perf_counter() - begin + longest < seconds
"""
TIMM = (
    COMMON
    + """
while another_fits():
    started = time.perf_counter()
    for _ in range(10):
        call()
    steps = []
    for _ in range(40):
        start = time.perf_counter()
        call()
        steps.append(time.perf_counter() - start)
    results.append(statistics.fmean(steps))
    half = 1.96 * statistics.stdev(steps) / math.sqrt(len(steps))
    interval = interval or (results[0] - half, results[0] + half)
    longest = max(longest, time.perf_counter() - started)
print(json.dumps([statistics.fmean(results), *interval]))
"""
)
AUTORANGE = (
    COMMON
    + """
from torch.utils.benchmark import Timer
timer = Timer("call()", globals={"call": call}, num_threads=threads)
while another_fits():
    started = time.perf_counter()
    found = timer.adaptive_autorange(max_run_time=max(0.5, seconds - (time.perf_counter() - begin)))
    results.append(found.median)
    half = 1.96 * 1.2533 * found.iqr / 1.349 / math.sqrt(len(found.times))
    interval = interval or (found.median - half, found.median + half)
    longest = max(longest, time.perf_counter() - started)
print(json.dumps([statistics.median(results), *interval]))
"""
)
"""The interval of both is the naive one of the first run of the protocol: what one would take calls for independent by."""

SLOWER = """
import time
from resbench.models.outside import open_model
import torch

class Slower(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network = open_model("resnet18").module

    def forward(self, images):
        begin = time.perf_counter()
        logits = self.network(images)
        end = begin + 1.05 * (time.perf_counter() - begin)
        while time.perf_counter() < end:
            pass
        return logits
"""


class Repeat(NamedTuple):
    """One answer to "how long does it take", its interval, and the time that it cost."""

    value: float
    low: float
    high: float
    wall_s: float
    as_timed: float = 0.0


def own_pace_s() -> float:
    """What `resbench noise` would keep, from a shorter measurement of the same kind."""
    begin = time.perf_counter()
    case = Case(model="resnet18", num_classes=1000, threads=THREADS)
    plan = replace(PLAN, stop=replace(PLAN.stop, budget_s=10.0))
    floor = floor_of(measure_side_by_side((case, case), plan, lambda _doing: None), "now", "")
    sys.stdout.write(f"\npace {1e3 * floor.pace_s:.3f} ms, measured in {time.perf_counter() - begin:.0f} s\n")
    return floor.pace_s


def by_resbench(seconds: float, seed: int, overhead_s: float, pace_s: float) -> Repeat:
    sampling_s = max(LEAST_SAMPLING_S, seconds - overhead_s)
    plan = replace(PLAN, stop=replace(PLAN.stop, budget_s=sampling_s), seed=seed)
    begin = time.perf_counter()
    case = Case(model="resnet18", num_classes=1000, threads=THREADS)
    (found,) = measured((case,), plan, pace_s)
    latency = found.find("latency")
    timed = found.find("latency_as_timed")
    assert latency is not None
    assert timed is not None
    assert latency.low is not None
    assert latency.high is not None
    return Repeat(latency.value, latency.low, latency.high, time.perf_counter() - begin, timed.value)


def measured(cases: Sequence[Case], plan: Plan, pace_s: float = 0.0) -> tuple[Finding, ...]:
    return findings(measure_side_by_side(cases, plan, lambda _doing: None, lambda _threads: pace_s))


def by_script(script: str, seconds: float) -> Repeat:
    begin = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, "-c", script, str(THREADS), str(seconds)], capture_output=True, text=True, check=True
    )
    value, low, high = json.loads(done.stdout.splitlines()[-1])
    return Repeat(value, low, high, time.perf_counter() - begin)


def spread(repeats: Sequence[Repeat]) -> float:
    """Standard deviation of the logarithm of the answers."""
    return statistics.stdev(math.log(repeat.value) for repeat in repeats)


def report(name: str, repeats: Sequence[Repeat]) -> tuple[float, int]:
    grand = statistics.median(repeat.value for repeat in repeats)
    covered = sum(repeat.low <= grand <= repeat.high for repeat in repeats)
    ratios = sorted(abs(math.log(repeat.value / grand)) for repeat in repeats)
    width = statistics.median((repeat.high - repeat.low) / 2 / repeat.value for repeat in repeats)
    sys.stdout.write(
        f"{name:20} grand median {1e3 * grand:7.3f} ms, spread {100 * spread(repeats):5.2f} %, farthest "
        f"{100 * ratios[-1]:5.2f} %, intervals +-{100 * width:5.2f} % cover it {covered}/{len(repeats)} times, "
        f"{statistics.fmean(repeat.wall_s for repeat in repeats):.1f} s a repeat\n"
    )
    found = (
        f"{1e3 * repeat.value:.2f} [{1e3 * repeat.low:.2f}, {1e3 * repeat.high:.2f}]" for repeat in repeats
    )
    sys.stdout.write(f"{'':20} {', '.join(found)}\n")
    return spread(repeats), covered


@pytest.mark.timeout(3600)
def test_repeats_of_one_measurement_agree_and_their_intervals_hold() -> None:
    pace_s = own_pace_s()
    rehearsal = by_resbench(SECONDS, 0, SECONDS - LEAST_SAMPLING_S, pace_s)
    overhead_s = rehearsal.wall_s - LEAST_SAMPLING_S
    sys.stdout.write(f"resbench spends {overhead_s:.1f} s of a repeat on starting and warming up\n")
    protocols: dict[str, Callable[[int], Repeat]] = {
        "resbench": lambda number: by_resbench(SECONDS, number, overhead_s, pace_s),
        "timm, 10 + 40": lambda _number: by_script(TIMM, SECONDS),
        "adaptive_autorange": lambda _number: by_script(AUTORANGE, SECONDS),
    }
    found: dict[str, list[Repeat]] = {name: [] for name in protocols}
    order = random.Random(0)  # noqa: S311 - no secret
    for number in range(REPEATS):
        for name in order.sample(list(protocols), len(protocols)):
            found[name].append(protocols[name](number))
    sys.stdout.write(f"\nA/A: resnet18, batch 1, {THREADS} threads, {REPEATS} repeats of {SECONDS:g} s\n")
    timed = statistics.stdev(math.log(repeat.as_timed) for repeat in found["resbench"])
    sys.stdout.write(f"resbench's own calls as timed: spread {100 * timed:5.2f} %\n")
    (ours, covered), *others = (report(name, repeats) for name, repeats in found.items())
    if FULL:
        assert ours < min(theirs for theirs, _ in others)
        assert covered >= 0.9 * REPEATS


@pytest.mark.timeout(3600)
def test_a_planted_difference_of_5_percent_is_found(tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text(SLOWER, encoding="utf-8")
    plain = Case(model="resnet18", num_classes=1000, threads=THREADS)
    cases = (plain, replace(plain, model=f"{file}:Slower", num_classes=None))
    right, walls, speeds = 0, [], []
    for number in range(REPEATS):
        plan = replace(PLAN, stop=replace(PLAN.stop, budget_s=PLANTED_SECONDS / 2), seed=number)
        begin = time.perf_counter()
        speed = measured(cases, plan)[1].speed
        walls.append(time.perf_counter() - begin)
        assert speed is not None
        speeds.append(speed)
        right += speed.high < 1
    low, high = (100 * (1 / pick(speed.value for speed in speeds) - 1) for pick in (max, min))
    width = statistics.median(speed.relative_half_width for speed in speeds)
    sys.stdout.write(
        f"\nplanted: 5 % slower, {REPEATS} runs of {PLANTED_SECONDS:g} s of sampling ({statistics.fmean(walls):.1f} s with all "
        f"processes): found {right} times with the right sign; {low:.2f} to {high:.2f} % slower, intervals +-{100 * width:.2f} %\n"
    )
    if FULL:
        assert right >= 0.95 * REPEATS


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-q"]))
