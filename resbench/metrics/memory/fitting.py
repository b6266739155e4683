"""Which batch fits into so much memory: told by the prediction, or measured in fresh processes from there on. No torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from resbench.errors import ResbenchError

PeakOf = Callable[[int], int]
"""Bytes at the peak, by batch."""

Fits = Callable[[int], bool]
"""Whether a batch fits."""


class Found(Protocol):
    """What a search ends with."""

    @property
    def largest(self) -> int:
        """The largest batch that fits; 0: none."""


class Search(Protocol):
    """Finds the largest batch for which a question is answered with yes: `resbench.metrics.batch_search.largest_batch`."""

    def __call__(self, fits: Fits, *, start: int = 1) -> Found:
        """Begin at `start`, ask, and return what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The largest batch for a memory.

    Attributes:
        limit_B: the memory.
        batch_size: the answer, measured; 0: not a single picture fits; None: it could not be measured, see `unverified`.
        predicted: the answer of the prediction alone.
        predicted_B: the predicted peak at `batch_size`, or at `predicted` where nothing was measured.
        measured_B: the measured peak at `batch_size`.
        next_B: the measured peak at the next larger batch, which is beyond the limit; None: no memory for it, or not measured.
        unverified: why there is no answer but the prediction's; empty where it was measured.
    """

    limit_B: int
    batch_size: int | None
    predicted: int
    predicted_B: int
    measured_B: int | None = None
    next_B: int | None = None
    unverified: str = ""


def predict_fit(limit_B: int, predicted: PeakOf, search: Search, *, why: str = "not measured") -> Fit:
    """Return the largest batch whose predicted peak is within the limit: a prediction, and no answer.

    Args:
        limit_B: the memory asked about.
        predicted: peak by batch.
        search: finds a batch by the prediction.
        why: it is not measured.
    """
    batch_size = search(lambda batch: predicted(batch) <= limit_B).largest
    return Fit(
        limit_B=limit_B,
        batch_size=None,
        predicted=batch_size,
        predicted_B=predicted(batch_size) if batch_size else 0,
        unverified=why,
    )


def verify_fit(
    limit_B: int,
    predicted: PeakOf,
    measured: Callable[[int], int | None],
    search: Search,
    *,
    available_B: int,
) -> Fit:
    """Return the largest batch whose measured peak is within the limit. The prediction only says where to begin.

    Args:
        limit_B: the memory asked about.
        predicted: peak by batch.
        measured: peak by batch, in a fresh process; None: memory ran out.
        search: finds a batch.
        available_B: what this machine has free.

    Raises:
        ResbenchError: the limit is beyond what this machine has free, so that nothing can be measured; or peaks are not steady.
    """
    if limit_B > available_B:
        raise ResbenchError(
            f"this machine has {available_B / 2**30:.1f} GiB free: a limit of {limit_B / 2**30:.1f} GiB can't be verified"
        )
    first = predict_fit(limit_B, predicted, search)
    seen: dict[int, int | None] = {}

    def fits(batch_size: int) -> bool:
        found = seen[batch_size] = measured(batch_size)
        return found is not None and found <= limit_B

    batch_size = search(fits, start=max(1, first.predicted)).largest
    return Fit(
        limit_B=limit_B,
        batch_size=batch_size,
        predicted=first.predicted,
        predicted_B=predicted(batch_size) if batch_size else 0,
        measured_B=seen.get(batch_size),
        next_B=seen.get(batch_size + 1),
    )
