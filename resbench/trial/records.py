"""What measuring leaves behind, raw: every sample with its process, its block and whether that was disturbed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from resbench.metrics.latency.disturbance import Surroundings
from resbench.trial.case import Case

AS_TIMED: Final = "as timed"
"""Of latencies that no pace was brought to."""


class Failure(NamedTuple):
    """Why a case has no figures, or no more of them: `oom`, or `failed`; and one line."""

    kind: str
    message: str


class Round(NamedTuple):
    """Calls of one arm in a row.

    Attributes:
        process: which fresh process (from 0).
        number: which round in that process; the rounds of all arms with the same number lie side by side.
        position: the arm's place in the random order of that round.
        samples_s: latencies of single calls, in order.
        disturbed: whether something else ran beside it, and went on when it was measured again.
        pace_s: of the reference work just before and just after it, their mean; 0 where it was not timed.
    """

    process: int
    number: int
    position: int
    samples_s: tuple[float, ...]
    disturbed: bool
    pace_s: float = 0.0


class Calls(NamedTuple):
    """Calls back to back, the seconds that they took together, and the pace around them as in `Round`."""

    calls: int
    seconds: float
    pace_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Arm:
    """All that was found of one case; one entry a process where it is a list of them.

    Attributes:
        cold: seconds of loading, preparing, compiling and the first call.
        warm: how the warm-up went.
        rounds_of_calls: for throughput, by process.
        device: device times of single calls, by process, and the method.
        parts: seconds of forward, backward and optimiser of single training steps, by process.
        opened: settings, versions, agreement with eager and notes, from the first process.
        alone: whether it did not fit beside the others and was measured without them.
        pace_s: the machine's own, for so many threads, to which figures are brought; 0 where it is not known.
    """

    case: Case
    cold: list[dict[str, float]] = field(default_factory=list)
    warm: list[dict[str, Any]] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    rounds_of_calls: list[list[Calls]] = field(default_factory=list)
    device: list[list[float]] = field(default_factory=list)
    device_method: str = ""
    parts: list[list[dict[str, float]]] = field(default_factory=list)
    opened: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    alone: bool = False
    pace_s: float = 0.0

    @property
    def paced(self) -> bool:
        """Whether figures are brought to the machine's own pace."""
        return self.pace_s > 0 and any(found.pace_s > 0 for found in self.rounds)

    @property
    def clock(self) -> str:
        """What `latencies` are: as timed, or at which pace."""
        return f"at a pace of {1e3 * self.pace_s:.3g} ms of reference work" if self.paced else AS_TIMED

    def latencies(self) -> list[list[float]]:
        """Return the latencies of each process, in order: at the machine's pace where that is known, else as timed."""
        return self._by_process(self._factor)

    def as_timed(self) -> list[list[float]]:
        """Return the latencies of each process, in order, as they were timed."""
        return self._by_process(lambda _pace_s: 1.0)

    def rates(self) -> list[list[float]]:
        """Return the images per second of each round back to back, by process; paced as the latencies are."""
        return [
            [
                self.case.batch_size * each.calls / (each.seconds * self._factor(each.pace_s))
                for each in rounds
            ]
            for rounds in self.rounds_of_calls
            if rounds
        ]

    def periods_as_timed(self) -> list[list[float]]:
        """Return the seconds of a call in each round back to back, by process, as they were timed."""
        return [[each.seconds / each.calls for each in rounds] for rounds in self.rounds_of_calls if rounds]

    def _factor(self, pace_s: float) -> float:
        return self.pace_s / pace_s if self.pace_s and pace_s else 1.0

    def _by_process(self, factor: Callable[[float], float]) -> list[list[float]]:
        processes = sorted({found.process for found in self.rounds})
        return [
            [
                sample * factor(found.pace_s)
                for found in self.rounds
                if found.process == process
                for sample in found.samples_s
            ]
            for process in processes
        ]


@dataclass(slots=True, kw_only=True)
class Record:
    """One measurement of some arms side by side.

    Attributes:
        surroundings: of every block that was kept.
        again: blocks that were measured again because they were disturbed.
        criterion: of the quality gate, for each arm: what was not met; empty where all was.
        sampling_s: time that went into sampling.
        processes: how many fresh processes each arm had.
        ready: cores and threads of the first process, as it says itself.
    """

    arms: list[Arm]
    surroundings: list[Surroundings] = field(default_factory=list)
    again: int = 0
    criterion: dict[int, str] = field(default_factory=dict)
    sampling_s: float = 0.0
    processes: int = 0
    ready: dict[str, Any] = field(default_factory=dict)
