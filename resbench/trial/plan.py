"""How much is measured, and on what."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resbench.metrics.latency.disturbance import Reading
from resbench.metrics.latency.steady import SteadyRule
from resbench.metrics.latency.stopping import StopRule
from resbench.trial.processes import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes:
        processes: fresh processes of each case at least; up to three times as many while time is left.
        stop: what is precise enough; its budget is the sampling time of each case, over its processes.
        steady: what ends the warm-up of each process.
        round_s: an arm's calls in a round last at least so long. Short rounds compare best: what drifts is common to
            neighbours.
        pace_s: how long the reference work is timed before and after each round of an arm on a CPU; 0: not at all.
        block_s: rounds between two looks at what else the machine does, together.
        throughput_rounds, throughput_s: rounds of calls back to back in each process, and how long one is.
        device_calls, part_calls: calls in each process whose device time, and steps whose parts are timed.
        again: how often a disturbed block is measured again.
        seed: of the order of the arms.
    """

    stop: StopRule
    steady: SteadyRule
    processes: int = 5
    round_s: float = 0.02
    pace_s: float = 0.001
    block_s: float = 1.0
    throughput_rounds: int = 3
    throughput_s: float = 0.3
    device_calls: int = 5
    part_calls: int = 5
    again: int = 2
    seed: int = 0


STANDARD = Plan(stop=StopRule(), steady=SteadyRule(limit_s=5.0))
QUICK = Plan(
    processes=3,
    stop=StopRule(precision=0.02, budget_s=3.0, samples_at_least=10),
    steady=SteadyRule(seconds=0.1, limit_s=1.0),
    block_s=0.5,
    throughput_rounds=2,
    throughput_s=0.1,
    device_calls=3,
    part_calls=3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What measuring stands on; tests replace all of it.

    Attributes:
        start: starts a process for each number of threads, and returns them when all are ready.
        look: reads what else the machine does.
        clock: seconds, monotonic.
        own_cpu_s: CPU seconds of this process.
        say: is told what is being done.
        pace_s: the machine's own pace with so many threads, or 0.
    """

    start: Callable[[Sequence[int]], list[Worker]]
    look: Callable[[], Reading]
    clock: Callable[[], float] = time.perf_counter
    own_cpu_s: Callable[[], float] = time.process_time
    say: Callable[[str], None] = lambda _doing: None
    pace_s: Callable[[int], float] = lambda _threads: 0.0
