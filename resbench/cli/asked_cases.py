"""From the options of `resbench profile` to the cases that are measured: every combination of what was listed."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from resbench.errors import UsageError, unknown
from resbench.specs import Precision
from resbench.trial.case import ALLOCATORS, Case

AUTO = "auto"
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Asked(NamedTuple):
    """The options as they were given.

    Attributes:
        batch_sizes: numbers, or `auto`, with commas between.
        inputs: as 3x224x224, with commas between; empty: each network's own.
        precisions, backends: names with commas between.
        threads: of each measuring process.
        allocators: `system` or `keep`, or both with a comma between.
    """

    models: tuple[str, ...]
    device: str
    batch_sizes: str
    inputs: str
    num_classes: int | None
    precisions: str
    whole_model: bool
    memory_format: str
    backends: str
    mode: str
    threads: int
    weights: str
    seed: int
    allocators: str = "system"


def cases_of(asked: Asked) -> tuple[Case, ...]:
    """Return one case for each combination, models outermost; a batch of `auto` is 0 and has to be found.

    Raises:
        UsageError: an option means nothing, or a model, its input or its classes are not to be had.
    """
    return tuple(_cases(asked))


def _cases(asked: Asked) -> Iterator[Case]:
    from resbench.models.layering import layered

    inputs = [parse_input(text) for text in asked.inputs.split(",")] if asked.inputs else [None]
    precisions = listed(asked.precisions, "precision", tuple(Precision))
    backends = listed(asked.backends, "backend")
    allocators = listed(asked.allocators, "allocator", ALLOCATORS)
    for model, picture in product(asked.models, inputs):
        found = layered(model, picture, asked.num_classes)
        classes = asked.num_classes
        if classes is None and found.architecture is not None:
            classes = found.architecture.classes
        batches = parse_batches(asked.batch_sizes)
        for precision, backend, batch, allocator in product(precisions, backends, batches, allocators):
            yield Case(
                model=found.name,
                backend=backend,
                device=asked.device,
                precision=precision,
                whole_model=asked.whole_model,
                memory_format=asked.memory_format,
                batch_size=batch,
                input_CHW=found.input_CHW,
                num_classes=classes,
                mode=asked.mode,
                threads=asked.threads,
                weights=asked.weights,
                seed=asked.seed,
                allocator=allocator,
            )


def parse_input(text: str) -> tuple[int, int, int]:
    """Return channels, height and width from `3x224x224`.

    Raises:
        UsageError: that is not what the text is.
    """
    matched = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})x([0-9]{1,9})", text.strip().lower())
    if matched is None:
        raise UsageError(
            f"--input '{text}' is not channels x height x width: give three numbers, as in 3x224x224"
        )
    return int(matched[1]), int(matched[2]), int(matched[3])


def parse_batches(text: str) -> list[int]:
    """Return batch sizes from `1,8,32`; `auto` is 0.

    Raises:
        UsageError: one is neither a positive number nor `auto`.
    """
    found = []
    for part in map(str.strip, text.split(",")):
        if part.lower() == AUTO:
            found.append(0)
        elif re.fullmatch(r"[0-9]{1,9}", part) and int(part) > 0:
            found.append(int(part))
        else:
            raise UsageError(f"--batch-size '{part}' is no batch: give numbers from 1, as in 1,8,32, or auto")
    return list(dict.fromkeys(found))


def parse_size(text: str) -> int:
    """Return bytes from `11GiB` or `800 MB`.

    Raises:
        UsageError: there is no number, or no unit that says whether it counts in 1000 or 1024.
    """
    matched = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", text.strip())
    if matched is None or matched[2] not in _UNITS:
        raise UsageError(f"--fits '{text}' is no size: give a number with {', '.join(_UNITS)}, as in 11GiB")
    return int(float(matched[1]) * _UNITS[matched[2]])


def listed(text: str, kind: str, known: Sequence[str] = ()) -> list[str]:
    """Return the names of a list with commas, each once.

    Raises:
        UsageError: one is not known (where `known` is given), or there is none.
    """
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in found:
        if known and name not in known:
            raise unknown(kind, name, known)
    if not found:
        raise UsageError(f"no {kind} is named: give one, or several with commas between")
    return found
