"""Checkpoints at the end of each epoch: written whole or not at all, checked on reading, the last two kept.

A checkpoint is a folder: `weights.safetensors` (parameters and buffers), `optimizer.pt` (read without unpickling code),
`epochs.json` (what was found so far), and `manifest.json` with the SHA-256 of each. The folder is renamed into place
when complete; one that does not agree with its manifest is passed over for the one before.
"""

import hashlib
import io
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialize

from resbench.results import Epoch, Pass, plain

FORMAT = 1
_KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a run needs to go on after its last finished epoch."""

    epochs: tuple[Epoch, ...]
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    seconds: float


def save(folder: Path, state: State) -> None:
    """Write the state after its last epoch; the ones before the last two are deleted.

    Raises:
        OSError: the disk is full or can't be written; the checkpoints before this one are untouched.
    """
    number = state.epochs[-1].number
    target, partial = folder / f"epoch-{number:05d}", folder / f"partial-{number:05d}"
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
    weights = {name: tensor.contiguous() for name, tensor in state.weights.items()}
    (partial / "weights.safetensors").write_bytes(serialize(weights))
    optimizer = io.BytesIO()
    torch.save(state.optimizer, optimizer)
    (partial / "optimizer.pt").write_bytes(optimizer.getbuffer())
    (partial / "epochs.json").write_text(json.dumps(plain(state.epochs)))
    digests = {path.name: _sha256(path) for path in sorted(partial.iterdir())}
    manifest = {"format": FORMAT, "seconds": state.seconds, "sha256": digests}
    (partial / "manifest.json").write_text(json.dumps(manifest))
    for path in partial.iterdir():
        _flush(path)


def load(folder: Path) -> State | None:
    """Return the newest state that is whole, or None. Tensors are on the CPU."""
    for saved in reversed(_saved(folder)):
        manifest = _checked_manifest(saved)
        if manifest is None:
            continue
        optimizer = torch.load(saved / "optimizer.pt", map_location="cpu", weights_only=True)
        return State(
            epochs=tuple(_epoch(data) for data in json.loads((saved / "epochs.json").read_text())),
            weights=load_file(saved / "weights.safetensors"),
            optimizer=optimizer,
            seconds=manifest["seconds"],
        )
    return None


def discard(folder: Path) -> None:
    """Delete the checkpoints of a run whose result is stored."""
    shutil.rmtree(folder, ignore_errors=True)


def _saved(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"))


def _checked_manifest(saved: Path) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads((saved / "manifest.json").read_text())
        whole = manifest["format"] == FORMAT and all(
            _sha256(saved / name) == digest for name, digest in manifest["sha256"].items()
        )
    except (OSError, ValueError, KeyError):
        return None
    return manifest if whole else None


def _epoch(data: dict[str, Any]) -> Epoch:
    return Epoch(**{**data, "train": Pass(**data["train"]), "test": Pass(**data["test"])})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
