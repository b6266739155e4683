"""The weights that a run keeps, out of its checkpoints or its folder: those of the last step, or their moving average."""

import json
from pathlib import Path
from typing import Final, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor

from resbench.errors import UsageError
from resbench.models.weight_files import read_weights
from resbench.training import checkpoint

TESTED: Final = "weights.safetensors"
"""Of a run's folder: what the recipe tests, the average where it keeps one."""

UNAVERAGED: Final = "weights_unaveraged.safetensors"
"""Of a run's folder, where `TESTED` is an average: the weights after the last step."""

RESULT: Final = "result.json"
"""Of a run's folder: what was found of it."""


class Kept(NamedTuple):
    """Weights by name, what they are in words, and the file that holds most of them."""

    tensors: dict[str, Tensor]
    said: str
    file: Path


def kept_weights(folder: Path, *, average: bool | None) -> Kept:
    """Return weights out of a checkpoint, out of a run's folder of checkpoints, or out of the folder of a finished run.

    Args:
        folder: one of these; of several checkpoints the newest whole one counts.
        average: the moving average of the weights (True), the weights of the last step (False), or what the recipe
            tests (None): the average where there is one.

    Raises:
        UsageError: the folder holds none of it, or what it holds is torn or of two runs.
    """
    if (folder / TESTED).is_file() and not (folder / checkpoint.MANIFEST).is_file():
        return _of_finished(folder, average=average)
    state, where = checkpoint.read(folder)
    if average and not state.average:
        raise UsageError(_no_average(folder))
    averaged = bool(state.average) and average is not False
    tensors = state.tested if averaged else state.weights
    said = f"{_what(averaged=averaged)} after step {state.step:,} in {where}"
    return Kept(tensors, said, where / f"{'average' if averaged else 'weights'}.safetensors")


def _of_finished(folder: Path, *, average: bool | None) -> Kept:
    has_average = (folder / UNAVERAGED).is_file()
    if average and not has_average:
        raise UsageError(_no_average(folder))
    averaged = has_average and average is not False
    file = folder / (UNAVERAGED if has_average and not averaged else TESTED)
    tensors, facts = read_weights(file).tensors, _metadata(file)
    _check_one_run(folder, facts)
    recipe = facts.get("resbench.recipe")
    trained = f", trained by {recipe}," if recipe else ""
    return Kept(tensors, f"{_what(averaged=averaged)}{trained} in {file}", file)


def _metadata(file: Path) -> dict[str, str]:
    try:
        with safe_open(file, "pt") as opened:
            return dict(opened.metadata() or {})
    except (OSError, SafetensorError):
        return {}


def _check_one_run(folder: Path, weights: dict[str, str]) -> None:
    """Refuse weights that an earlier run left where another one, which kept none, wrote its result.

    Raises:
        UsageError: they are of another run than the result beside them.
    """
    try:
        found = json.loads((folder / RESULT).read_text("utf-8"))["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # no result is no contradiction
    theirs = weights.get("resbench.key")
    if theirs is not None and theirs != found:
        raise UsageError(
            f"'{folder}' holds weights of one run ({theirs}) and {RESULT} of another ({found}): train that one again into "
            "another --output with another --store, or name the file of weights itself"
        )


def _what(*, averaged: bool) -> str:
    return "moving average of the weights (EMA)" if averaged else "weights"


def _no_average(folder: Path) -> str:
    return (
        f"'{folder}' holds no moving average of the weights: the recipe kept none (its field `ema` is the decay of one); "
        "leave out --ema"
    )
