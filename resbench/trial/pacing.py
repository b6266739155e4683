"""The processes that time the reference work between the rounds of others: one for each number of threads.

They are processes of their own, so that no backend's threads stand beside the reference work, and it beside no case's.
"""

from collections.abc import Callable, Sequence

import numpy as np

from resbench.trial.case import Case
from resbench.trial.processes import Worker


class Pacing:
    """Times the reference work when asked; nothing where a case does not run on a CPU.

    Attributes:
        worked_s: CPU seconds that it took so far.
    """

    def __init__(self, start: Callable[[Sequence[int]], list[Worker]], seconds: float) -> None:
        self._start, self._seconds = start, seconds
        self._workers: dict[int, Worker] = {}
        self._cpu_s: dict[int, float] = {}
        self._latest: tuple[int, float] | None = None
        self.worked_s = 0.0

    def prepare(self, cases: Sequence[Case]) -> None:
        """Start what is missing of the processes that these cases need."""
        if not self._seconds:
            return
        threads = {case.threads for case in cases if case.device == "cpu"} - self._workers.keys()
        for count, worker in zip(
            sorted(threads), self._start(sorted(threads)) if threads else (), strict=True
        ):
            self._workers[count] = worker
            self.now(count)  # the first call chooses its kernel

    def before(self, case: Case) -> float:
        """Return the pace before a round, in seconds; that after the last round where nothing ran since. 0: unknown."""
        if self._latest is not None and self._latest[0] == case.threads:
            return self._latest[1]
        return self.now(case.threads) if case.device == "cpu" else 0.0

    def around(self, case: Case, before_s: float) -> float:
        """Return the mean of the pace before a round and now, after it; 0 where it is not known."""
        if not before_s:
            return 0.0
        after_s = self.now(case.threads)
        return (before_s + after_s) / 2 if after_s else 0.0

    def forget(self) -> None:
        """Take the last pace for none of the next round: time has passed."""
        self._latest = None

    def now(self, threads: int) -> float:
        """Return the median duration of the reference work at this moment, or 0 where it is not timed."""
        if threads not in self._workers:
            return 0.0
        answer = self._workers[threads].ask({"do": "pace", "seconds": self._seconds})
        if "error" in answer:
            del self._workers[threads]  # figures without a pace are as timed, and say so
            return 0.0
        self.worked_s += answer["cpu_s"] - self._cpu_s.get(threads, 0.0)
        self._cpu_s[threads] = answer["cpu_s"]
        self._latest = threads, float(np.median(answer["samples_s"]))
        return self._latest[1]

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
