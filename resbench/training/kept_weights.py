"""The weights that a run keeps, out of its checkpoints or its folder: those of the last step, or their moving average."""

from pathlib import Path
from typing import Final, NamedTuple

from torch import Tensor

from resbench.errors import UsageError
from resbench.models.weight_files import read_weights
from resbench.training import checkpoint

TESTED: Final = "weights.safetensors"
"""Of a run's folder: what the recipe tests, the average where it keeps one."""

UNAVERAGED: Final = "weights_unaveraged.safetensors"
"""Of a run's folder, where `TESTED` is an average: the weights after the last step."""


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
        UsageError: the folder holds none of it, or what it holds is torn.
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
    return Kept(read_weights(file).tensors, f"{_what(averaged=averaged)} in {file}", file)


def _what(*, averaged: bool) -> str:
    return "moving average of the weights (EMA)" if averaged else "weights"


def _no_average(folder: Path) -> str:
    return (
        f"'{folder}' holds no moving average of the weights: the recipe kept none (its field `ema` is the decay of one); "
        "leave out --ema"
    )
