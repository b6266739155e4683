"""The largest batch that fits, by doubling and bisection. Memory that does not suffice is a finding, told with its batch.

It is the one search for batches: what it asks (does a process survive, is a measured peak within a limit) is its caller's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from resbench.errors import ResbenchError

LIMIT = 2**16
"""Where the search ends: a batch that no one asks for."""

_TRIES = 3
"""How often a batch that fitted once may be found not to fit, before memory is called unsteady."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt: whether the batch fitted into memory."""

    batch_size: int
    fitted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSearch:
    """What was found.

    Attributes:
        largest: the largest batch that fits, tried twice; 0: not even a single image does.
        oom_at: the smallest batch that was seen not to fit; None: the search ended at its limit.
        trials: every attempt, in order.
    """

    largest: int
    oom_at: int | None
    trials: tuple[Trial, ...]

    @property
    def sentence(self) -> str:
        """What was found, for a reader."""
        tried = f"{len(self.trials)} tries"
        if self.oom_at is None:
            return f"batch {self.largest} fits, where the search ends ({tried})"
        if self.largest == 0:
            return f"out of memory at batch {self.oom_at}: not a single image fits ({tried})"
        return f"batch {self.largest} fits, verified; out of memory at batch {self.oom_at} ({tried})"


def largest_batch(fits: Callable[[int], bool], *, start: int = 1, limit: int = LIMIT) -> BatchSearch:
    """Return the largest batch up to `limit` that fits: steps that double away from `start`, bisected, tried again.

    From a start of 1 the steps double the batch; from a prediction they reach the answer soon, and go no farther beyond the
    memory than they must.

    Args:
        fits: tries a batch as it will be used, from an empty memory: best in a process of its own. It may be wrong now
            and then (fragmentation, other processes): the answer is tried a second time, and lowered where it fails.
        start: the first batch to try: a prediction saves attempts.
        limit: the largest batch to try.

    Raises:
        ResbenchError: batches that fitted keep failing when they are tried again.
    """
    if not 1 <= start <= limit:
        raise ValueError(f"the first batch must lie between 1 and {limit}: {start}")
    trials: list[Trial] = []

    def attempt(batch_size: int) -> bool:
        trials.append(Trial(batch_size, fits(batch_size)))
        return trials[-1].fitted

    low, high = _bracket(attempt, start, limit)
    for _ in range(_TRIES):
        low = _bisect(attempt, low, high)
        if low == 0 or attempt(low):
            oom_at = None if high is None else min(trial.batch_size for trial in trials if not trial.fitted)
            return BatchSearch(largest=low, oom_at=oom_at, trials=tuple(trials))
        low, high = _next_lower(trials, low), low
    tried = ", ".join(str(trial.batch_size) for trial in trials if not trial.fitted)
    raise ResbenchError(
        f"the largest batch is not steady: each that fitted once failed the next time (out of memory at {tried}); "
        "end what else uses the memory"
    )


def _bracket(attempt: Callable[[int], bool], start: int, limit: int) -> tuple[int, int | None]:
    """Return a batch that fits (0: nothing) and a larger one that does not (None: all up to the limit fit)."""
    step, batch_size = 1, start
    if not attempt(batch_size):
        while (lower := batch_size - step) >= 1 and not attempt(lower):
            step, batch_size = 2 * step, lower
        return max(0, lower), batch_size
    while batch_size < limit:
        higher = min(batch_size + step, limit)
        if not attempt(higher):
            return batch_size, higher
        step, batch_size = 2 * step, higher
    return batch_size, None


def _next_lower(trials: list[Trial], batch_size: int) -> int:
    """Return the largest batch that fitted below one that fitted once and then did not."""
    return max(
        (trial.batch_size for trial in trials if trial.fitted and trial.batch_size < batch_size), default=0
    )


def _bisect(attempt: Callable[[int], bool], low: int, high: int | None) -> int:
    """Return the largest that fits, where `low` fits and `high` does not."""
    while high is not None and high - low > 1:
        middle = (low + high) // 2
        if attempt(middle):
            low = middle
        else:
            high = middle
    return low
