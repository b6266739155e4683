"""What `resbench train` leaves in its folder: the weights, the result, a picture of the curves, a short report."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from resbench.cli.train_question import Question
    from resbench.results import Result

WEIGHTS, UNAVERAGED = "weights.safetensors", "weights_unaveraged.safetensors"
"""As `resbench.training.kept_weights` names them."""


def folder_of(output: Path | None, question: "Question") -> Path:
    """Return the folder for a run's files, made where it is missing.

    Raises:
        UsageError: it can't be written to.
    """
    asked = question.experiment
    folder = output or Path("trained") / f"{asked.model}-{question.published.name}-{asked.key[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}; choose another --output") from error
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write to {folder}: permission denied; choose another --output")
    return folder


def keeping(folder: Path, question: "Question") -> "Callable[[Path], None]":
    """Return what copies the weights out of a run's last checkpoint, with what they are in their metadata."""

    def keep(checkpoints: Path) -> None:
        from safetensors.torch import save

        from resbench.store.files import write_atomically
        from resbench.training import checkpoint

        state = checkpoint.load(checkpoints)
        if state is None:
            raise ValueError(f"a finished run has no checkpoint in {checkpoints}")
        (folder / UNAVERAGED).unlink(missing_ok=True)  # of a run before this one
        kept = {UNAVERAGED: state.weights} if state.average else {}
        for name, tensors in {**kept, WEIGHTS: state.tested}.items():
            weights = {key: tensor.contiguous() for key, tensor in tensors.items()}
            write_atomically(folder / name, save(weights, _metadata(question)), "the weights")

    return keep


def write_files(folder: Path, question: "Question", result: "Result") -> list[str]:
    """Write what can be made of the result alone, and return the names of the files that are there.

    Raises:
        UsageError: a file can't be written.
        ResbenchError: the disk is full.
    """
    from resbench.reporting.line_pictures import draw, run_panels
    from resbench.reporting.single_run import CURVES, single_run
    from resbench.results import plain
    from resbench.specs.overriding import changes
    from resbench.store.files import write_atomically

    title = f"{question.experiment.model} by {question.recipe.name}, seed {question.experiment.seed}"
    differs = changes(question.published, question.recipe)
    contents = {
        "result.json": json.dumps(plain(result), indent=1).encode() + b"\n",
        CURVES: draw(run_panels(result.epochs), title),
        "report.md": single_run(result, question.published, differs).encode(),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content, "the run's files")
    weights = [name for name in (WEIGHTS, UNAVERAGED) if has_weights(folder / name, question)]
    return [*weights, *contents]


def has_weights(path: Path, question: "Question") -> bool:
    """Return whether a file has the weights of this very run."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {}).get("resbench.key") == question.experiment.key
    except (OSError, SafetensorError):
        return False


def _metadata(question: "Question") -> dict[str, str]:
    asked = question.experiment
    return {
        "format": "pt",
        "resbench.key": asked.key,
        "resbench.model": asked.model,
        "resbench.recipe": question.recipe.name,
        "resbench.classes": json.dumps(question.data.classes),
    }
