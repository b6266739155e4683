"""Scaled pictures in one file that processes map into memory: decoded once, read at the speed of memory.

The file holds the pixels of each picture, uint8 (3, H, W), one after the other; then the index, (N, 3) int64: offset,
height, width; then a footer: a mark, N, and the SHA-256 of the index. It is written beside its place and renamed.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.results import digest
from resbench.training.delivering import delivered
from resbench.training.sources import Files, Source

_MARK: Final = b"RBPIXEL1"
_FOOTER_B: Final = len(_MARK) + 8 + 32
_AT_ONCE: Final = 16
_LOOKED_AT: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStore:
    """A file of pictures; a process that gets it maps it at its first picture."""

    path: Path

    def __len__(self) -> int:
        return len(_mapped(self.path)[1])

    def pixels(self, sample: int) -> Tensor:
        """Return one picture, uint8 (3, H, W), that lies in the file: it is not to be written to."""
        pixels, index_N3 = _mapped(self.path)
        offset, height, width = index_N3[sample].tolist()
        return torch.from_numpy(pixels[offset : offset + 3 * height * width]).view(3, height, width)


def open_store(
    files: Files, identity: str, folder: Path, *, workers: int = 0, progress: Report = silent
) -> PictureStore:
    """Return the store of these pictures, built where there is none that is whole.

    Args:
        files: the pictures, and how they are scaled.
        identity: of the part of the data set that they are of: other pictures have another.
        folder: where the file lies, or will.
        workers: processes that read and scale.
        progress: told how many pictures are done.

    Raises:
        UsageError: the folder can't be written to, or is full.
        ResbenchError: a picture can't be read.
    """
    path = store_path(files, identity, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_suffix(".lock")):
            if not is_whole(path, len(files)):
                _build(files, path, workers, progress)
    except OSError as error:
        raise UsageError(
            f"cannot keep {len(files):,} scaled pictures in {folder}: {error.strerror or error}: give a folder with "
            "room (RESBENCH_CACHE), or engine.feed 'loader'"
        ) from error
    return PictureStore(path=path)


def store_path(files: Files, identity: str, folder: Path) -> Path:
    """Return where the store of these pictures lies, or would."""
    scaling = files.scaling
    versions = (PIL.__version__, torch.__version__) if scaling.side is not None else ()
    asked = [identity, files.positions, scaling.side, scaling.interpolation, scaling.antialias, *versions]
    return folder / f"{digest(asked)[:32]}.pixels"


def bytes_needed(files: Files) -> int:
    """Return about how many bytes the pictures take, from the size of some, spread over all."""
    step = max(1, len(files) // _LOOKED_AT)
    sizes = [files.pixels(sample).numel() for sample in range(0, len(files), step)]
    return sum(sizes) * len(files) // len(sizes)


def bytes_free(folder: Path) -> int:
    """Return the free bytes where the folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def is_whole(path: Path, count: int) -> bool:
    """Return whether the file is there, is of the size that its index says, and holds `count` pictures."""
    try:
        index_N3 = _read_index(path)
    except (OSError, ValueError):
        return False
    return len(index_N3) == count


def _read_index(path: Path) -> NDArray[np.int64]:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _FOOTER_B))
        footer = stream.read()
        count = int.from_bytes(footer[len(_MARK) : len(_MARK) + 8], "little")
        start = size - _FOOTER_B - 24 * count
        if footer[: len(_MARK)] != _MARK or start < 0:
            raise ValueError(f"{path} has no footer")
        stream.seek(start)
        index = stream.read(24 * count)
    if hashlib.sha256(index).digest() != footer[-32:]:
        raise ValueError(f"the index of {path} is torn")
    index_N3 = np.frombuffer(index, dtype=np.int64).reshape(-1, 3)
    if count and start != index_N3[-1, 0] + 3 * index_N3[-1, 1] * index_N3[-1, 2]:
        raise ValueError(f"{path} is not of the size that its index says")
    return index_N3


# Both parts of a data set, and another's.
@lru_cache(maxsize=4)
def _mapped(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    # Copy on write: PyTorch takes no arrays that are read-only, and nothing ever reaches the file.
    return np.memmap(path, dtype=np.uint8, mode="c"), _read_index(path)


@dataclass(frozen=True, kw_only=True)
class _Reading(Dataset[tuple[Tensor, Tensor]]):
    """Pictures, by lists of samples: their pixels end to end, and their sizes (B, 2)."""

    source: Source

    def __getitem__(self, samples: Sequence[int]) -> tuple[Tensor, Tensor]:
        found = [self.source.pixels(sample) for sample in samples]
        sizes_B2 = torch.tensor([pixels_CHW.shape[1:] for pixels_CHW in found])
        return torch.cat([pixels_CHW.flatten() for pixels_CHW in found]), sizes_B2


def _build(files: Files, path: Path, workers: int, progress: Report) -> None:
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as stream:
            _write(files, stream, workers, progress)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        _mapped.cache_clear()
    finally:
        part.unlink(missing_ok=True)


def _write(files: Files, stream: BinaryIO, workers: int, progress: Report) -> None:
    count, index, offset = len(files), [], 0
    batches = [range(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
    made = delivered(_Reading(source=files), batches, workers=workers, device=torch.device("cpu"))
    for pixels, sizes_B2 in made:
        stream.write(pixels.numpy().data)
        for height, width in sizes_B2.tolist():
            index.append((offset, height, width))
            offset += 3 * height * width
        progress("scaling pictures", len(index), count)
    listed = np.array(index, dtype=np.int64).tobytes()
    stream.write(listed + _MARK + count.to_bytes(8, "little") + hashlib.sha256(listed).digest())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process in at a time; a process that is killed lets the next one in."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
