"""Checkpoints at any step: written whole or not at all, checked on reading, the last two kept.

A checkpoint is a folder: `weights.safetensors` (parameters and buffers), `average.safetensors` (where weights are
averaged), `optimizer.pt` (its moments and the loss scale; read without unpickling code), `progress.json` (what was found
so far, and where the run stands), and `manifest.json` with the SHA-256 of each. The folder is renamed into place when
complete; one that does not agree with its manifest, or has another format, is passed over for the one before.
"""

import hashlib
import io
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialize

from resbench.errors import UsageError
from resbench.results import Epoch, Pass, plain
from resbench.training.counting import Counted

FORMAT = 2
_KEPT = 2
_WHOLE = "step"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a run needs to go on where it stands.

    Attributes:
        step: steps done, over the whole run.
        epochs: those that finished.
        counted: of the epoch under way, what its training batches found; None between two epochs.
        weights: parameters and buffers.
        optimizer: as it states itself.
        scaler: the loss scale of fp16, or empty.
        average: of the weights, or empty.
        seconds: wall time so far, over all sessions.
    """

    step: int
    epochs: tuple[Epoch, ...]
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    seconds: float
    counted: Counted | None = None
    scaler: dict[str, Any] = field(default_factory=dict)
    average: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def tested(self) -> dict[str, torch.Tensor]:
        """Return the weights that a test would be of: the average, where there is one."""
        return {name: self.average.get(name, tensor) for name, tensor in self.weights.items()}


def save(folder: Path, state: State) -> None:
    """Write the state; the ones before the last two are deleted.

    Raises:
        OSError: the disk is full or can't be written; the checkpoints before this one are untouched.
    """
    # The end of an epoch is another state than the same step before its test.
    number = f"{state.step:010d}-{len(state.epochs):05d}"
    target, partial = folder / f"{_WHOLE}-{number}", folder / f"partial-{number}"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write(partial, state)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)  # on a full disk it would be in its own way
        raise
    partial.rename(target)
    _flush(folder)
    for old in _saved(folder)[:-_KEPT]:
        shutil.rmtree(old)


def _write(partial: Path, state: State) -> None:
    # Written by Python, so that a full disk is an OSError, whatever the libraries make of it.
    for name, tensors in (("weights", state.weights), ("average", state.average)):
        if tensors or name == "weights":
            (partial / f"{name}.safetensors").write_bytes(serialize(_contiguous(tensors)))
    moments = io.BytesIO()
    torch.save({"optimizer": state.optimizer, "scaler": state.scaler}, moments)
    (partial / "optimizer.pt").write_bytes(moments.getbuffer())
    counted = None if state.counted is None else state.counted._asdict()
    progress = {"step": state.step, "epochs": plain(state.epochs), "counted": counted}
    (partial / "progress.json").write_text(json.dumps(progress))
    digests = {path.name: _sha256(path) for path in sorted(partial.iterdir())}
    manifest = {"format": FORMAT, "seconds": state.seconds, "sha256": digests}
    (partial / MANIFEST).write_text(json.dumps(manifest))
    for path in partial.iterdir():
        _flush(path)


def load(folder: Path) -> State | None:
    """Return the newest state that is whole, or None. Tensors are on the CPU."""
    for saved in reversed(_saved(folder)):
        if manifest := _checked_manifest(saved):
            return _read(saved, manifest["seconds"])
    return None


def read(folder: Path) -> tuple[State, Path]:
    """Return the state of one checkpoint, or the newest whole one of a run's folder, and where it lies.

    Raises:
        UsageError: there is none, it is torn, or another version wrote it.
    """
    found = [folder] if (folder / MANIFEST).is_file() else _saved(folder)
    for saved in reversed(found):
        if manifest := _checked_manifest(saved):
            return _read(saved, manifest["seconds"]), saved
    if not found:
        raise UsageError(
            f"'{folder}' is no checkpoint: give a file of weights, or the folder of a run or of its checkpoints"
        )
    others = {number for saved in found if (number := _format(saved)) is not None and number != FORMAT}
    if others:
        raise UsageError(
            f"'{folder}' holds checkpoints of format {', '.join(map(str, sorted(others)))}, and this version reads {FORMAT}: "
            "take the version of resbench that wrote them"
        )
    raise UsageError(f"'{folder}' holds no whole checkpoint: its files do not agree with their digests")


def _read(saved: Path, seconds: float) -> State:
    moments = torch.load(saved / "optimizer.pt", map_location="cpu", weights_only=True)
    progress = json.loads((saved / "progress.json").read_text())
    counted, average = progress["counted"], saved / "average.safetensors"
    return State(
        step=progress["step"],
        epochs=tuple(_epoch(data) for data in progress["epochs"]),
        counted=None if counted is None else Counted(tuple(map(tuple, counted["rows"])), counted["seconds"]),
        weights=load_file(saved / "weights.safetensors"),
        average=load_file(average) if average.exists() else {},
        optimizer=moments["optimizer"],
        scaler=moments["scaler"],
        seconds=seconds,
    )


def discard(folder: Path) -> None:
    """Delete the checkpoints of a run whose result is stored."""
    shutil.rmtree(folder, ignore_errors=True)


def _saved(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_WHOLE}-*"))


def _checked_manifest(saved: Path) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads((saved / MANIFEST).read_text())
        whole = manifest["format"] == FORMAT and all(
            _sha256(saved / name) == digest for name, digest in manifest["sha256"].items()
        )
    except (OSError, ValueError, KeyError):
        return None
    return manifest if whole else None


def _format(saved: Path) -> int | None:
    """Return the number of a checkpoint's format, or None where it can't be read."""
    try:
        found = json.loads((saved / MANIFEST).read_text())["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _epoch(data: dict[str, Any]) -> Epoch:
    passes = {
        name: Pass(**found)
        for name in ("train", "test", "validation")
        if (found := data.get(name)) is not None
    }
    return Epoch(**{**data, **passes})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
