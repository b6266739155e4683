"""Which batch fits into so much memory: told by the prediction, then measured in fresh processes. No torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

PeakOf = Callable[[int], int]
"""Bytes at the peak, by batch."""

_TRIES = 6


class Found(Protocol):
    """What a search ends with."""

    @property
    def largest(self) -> int:
        """The largest batch that fits; 0: none."""


Search = Callable[[Callable[[int], bool]], Found]
"""Finds the largest batch for which a question is answered with yes: `resbench.metrics.batch_search.largest_batch`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The largest batch for a memory.

    Attributes:
        limit_B: the memory.
        batch_size: the answer; 0: not a single picture fits. Measured where `measured_B` says so, else predicted.
        predicted: the answer of the prediction alone.
        predicted_B: the predicted peak at `batch_size`.
        measured_B: the measured peak at `batch_size`; None: it was not measured, see `unverified`.
        next_B: the measured peak at the next larger batch, which is beyond the limit; None: not measured, or no memory for it.
        unverified: why the answer is no more than a prediction; empty where it was measured.
    """

    limit_B: int
    batch_size: int
    predicted: int
    predicted_B: int
    measured_B: int | None = None
    next_B: int | None = None
    unverified: str = ""


def predict_fit(limit_B: int, predicted: PeakOf, search: Search, *, offset_B: int = 0) -> Fit:
    """Return the largest batch whose predicted peak, and what is known to come on top of it, is within the limit."""
    batch_size = search(lambda batch: predicted(batch) + offset_B <= limit_B).largest
    return Fit(
        limit_B=limit_B,
        batch_size=batch_size,
        predicted=batch_size,
        predicted_B=predicted(batch_size) if batch_size else 0,
        unverified="not measured",
    )


def verify_fit(
    limit_B: int,
    predicted: PeakOf,
    measured: Callable[[int], int | None],
    search: Search,
    *,
    available_B: int,
) -> Fit:
    """Return the largest batch whose measured peak is within the limit, while that of the next is not.

    The prediction says where to begin; each measurement corrects it by what it missed.

    Args:
        limit_B: the memory asked about.
        predicted: peak by batch.
        measured: peak by batch, in a fresh process; None: memory ran out.
        search: finds a batch by the prediction.
        available_B: what this machine has free: where the limit is beyond it, nothing is measured.
    """
    first = predict_fit(limit_B, predicted, search)
    if limit_B > available_B:
        return _unverified(
            first, f"this machine has {available_B / 2**30:.1f} GiB free: predicted, not measured"
        )
    seen: dict[int, int | None] = {}

    def peak(batch_size: int) -> int | None:
        if batch_size not in seen:
            seen[batch_size] = measured(batch_size)
        return seen[batch_size]

    def fits(batch_size: int) -> bool:
        found = peak(batch_size)
        return found is not None and found <= limit_B

    batch_size = max(1, first.batch_size)
    for _ in range(_TRIES):
        if fits(batch_size) and not fits(batch_size + 1):
            return _verified(first, batch_size, predicted, seen)
        if batch_size == 1 and not fits(1):
            return _verified(first, 0, predicted, seen)
        nearest = batch_size + 1 if fits(batch_size) else batch_size
        found = peak(nearest)
        offset_B = (limit_B if found is None else found) - predicted(nearest)
        corrected = predict_fit(limit_B, predicted, search, offset_B=offset_B).batch_size
        # It has to move, and away from what was just seen.
        batch_size = max(nearest, corrected) if fits(batch_size) else max(1, min(nearest - 1, corrected))
    return _unverified(first, f"measured peaks did not settle in {_TRIES} tries: predicted")


def _verified(first: Fit, batch_size: int, predicted: PeakOf, seen: dict[int, int | None]) -> Fit:
    return Fit(
        limit_B=first.limit_B,
        batch_size=batch_size,
        predicted=first.predicted,
        predicted_B=predicted(batch_size) if batch_size else 0,
        measured_B=seen.get(batch_size),
        next_B=seen.get(batch_size + 1),
    )


def _unverified(first: Fit, why: str) -> Fit:
    return Fit(
        limit_B=first.limit_B,
        batch_size=first.batch_size,
        predicted=first.predicted,
        predicted_B=first.predicted_B,
        unverified=why,
    )
