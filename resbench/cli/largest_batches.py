"""The largest batch in place of `auto`: predicted from the layers, and then searched for around that, by trying."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from resbench.cli.profile_memory import predict
from resbench.cli.sections import Say
from resbench.metrics.batch_search import largest_batch
from resbench.models.layering import layered
from resbench.trial.case import Case
from resbench.trial.fitting import available_bytes, find_largest_batch
from resbench.trial.records import Failure


class Batched(NamedTuple):
    """Cases of which each has a batch.

    Attributes:
        cases: in the order in which they were asked for.
        notes: what was found of each that asked for the largest, a sentence each.
        failures: of those of which not a single picture fits, by their place.
    """

    cases: list[Case]
    notes: list[str]
    failures: dict[int, Failure]


def with_batches(cases: Sequence[Case], say: Say) -> Batched:
    """Put the largest batch that fits in place of `auto` (0).

    Raises:
        ResbenchError: an attempt fails for another reason than memory.
    """
    found = Batched([], [], {})
    for place, case in enumerate(cases):
        if case.batch_size:
            found.cases.append(case)
            continue
        start = predicted_batch(case)
        say(f"searching the largest batch of {case.model}, from {start} on")
        search = find_largest_batch(replace(case, batch_size=1), start=start)
        found.notes.append(f"{case.model}: {search.sentence}; predicted: {start}.")
        if not search.largest:
            found.failures[place] = Failure("oom", f"not a single image fits ({len(search.trials)} tries)")
        found.cases.append(replace(case, batch_size=max(1, search.largest)))
    return found


def predicted_batch(case: Case) -> int:
    """Return the largest batch by the prediction for eager PyTorch, or 1: where the search begins, and no answer."""
    layers = layered(case.model, case.input_CHW, case.num_classes).layers
    room_B = _room(case)

    def fits(batch_size: int) -> bool:
        return predict(replace(case, batch_size=batch_size), layers).peak <= room_B

    return max(1, largest_batch(fits).largest)


def _room(case: Case) -> int:
    if torch.device(case.device).type == "cuda":
        return int(torch.cuda.mem_get_info(case.device)[0])
    return available_bytes()
