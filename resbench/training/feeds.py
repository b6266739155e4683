"""Pictures of one part of a data set as tensors on the training device, whichever way they get there.

The same pictures, seed and epoch give the same tensors from every kind of feed, with any number of workers, in batches of
any size: all that is random is drawn for a whole epoch at once (`resbench.training.draws`).
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from resbench.cache import cache_folder
from resbench.datasets.data import Split
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.specs import Pictures
from resbench.training.cutting import Batch, TestBatches, TrainingBatches
from resbench.training.delivering import delivered
from resbench.training.draws import draw
from resbench.training.normalising import normaliser
from resbench.training.picture_store import bytes_free, bytes_needed, open_store
from resbench.training.resident import LIMIT_B, ResidentFeed, gathered
from resbench.training.sources import Files, Source, pixel_mean, scaling_of

Kind = Literal["auto", "resident", "store", "loader"]

_FILLED = 0.8
"""A store that would take more than this share of the free disk is not chosen by itself."""


class Feed(Protocol):
    """Pictures of one part of the data, ready as tensors on a device.

    The images of a batch are to be used before the next ones are asked for, which may lie in the same memory.

    Attributes:
        kind: `resident`, `store` or `loader`.
        note: what a report may say of it: how many pictures lie where, and how much room they take.
        labels_N: the class of each sample.
        mean_CHW: the mean of each pixel that is subtracted; None where the recipe has channel statistics.
    """

    kind: str
    note: str
    labels_N: Tensor
    mean_CHW: Tensor | None

    def __len__(self) -> int:
        """Return how many samples there are."""

    def training_batches(self, batches: Sequence[Sequence[int]], *, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield (images_BCHW float32, normalised; labels_B) of each list of samples, as drawn for them in this epoch."""

    def test_batches(self, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
        """Yield (images_BVCHW float32, normalised; labels_B) of each list of samples: V fixed views of each."""


class SourceFeed:
    """Pictures that are cut one by one, in this process or in workers, out of a store or out of their files."""

    def __init__(
        self,
        source: Source,
        labels_N: Tensor,
        pictures: Pictures,
        *,
        mean_CHW: Tensor | None,
        device: torch.device,
        workers: int,
        said: tuple[str, str],
        progress: Report = silent,
    ) -> None:
        self.kind, self.note = said
        if not pictures.mean and mean_CHW is None:
            mean_CHW = pixel_mean(source, progress=progress)
        self.labels_N, self.mean_CHW = labels_N.to(device), mean_CHW
        self._source, self._pictures, self._labels_N = source, pictures, labels_N
        self._normalise = normaliser(pictures, mean_CHW)
        self._device, self._workers = device, workers

    def __len__(self) -> int:
        return len(self._labels_N)

    def training_batches(self, batches: Sequence[Sequence[int]], *, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield (images_BCHW, labels_B) of each list of samples, as drawn for them in this epoch."""
        made = TrainingBatches(
            source=self._source,
            labels_N=self._labels_N,
            pictures=self._pictures,
            normalise=self._normalise,
            draws=draw(self._pictures, len(self), seed=seed, epoch=epoch),
            room=self._room(here=self._workers == 0),
        )
        return delivered(made, batches, workers=self._workers, device=self._device)

    def test_batches(self, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
        """Yield (images_BVCHW, labels_B) of each list of samples."""
        # Cutting test views out of a store takes less time than sending them from a worker would.
        here = self.kind == "store" or self._workers == 0
        made = TestBatches(
            source=self._source,
            labels_N=self._labels_N,
            pictures=self._pictures,
            normalise=self._normalise,
            room=self._room(here=here),
        )
        return delivered(made, batches, workers=0 if here else self._workers, device=self._device)

    def _room(self, *, here: bool) -> list[Tensor] | None:
        """Return room that batches share, where nothing copies them on after they were made."""
        return [] if here and self._device.type == "cpu" else None


def open_feed(
    split: Split,
    positions: Sequence[int],
    pictures: Pictures,
    *,
    training: bool = True,
    mean_CHW: Tensor | None = None,
    device: torch.device,
    kind: Kind = "auto",
    workers: int = 0,
    cache: Path | None = None,
    identity: str = "",
    progress: Report = silent,
) -> Feed:
    """Return a feed of the samples at some positions of a split.

    Args:
        split: the part of the data set.
        positions: which of its samples; batches name samples by their place in this list.
        pictures: how pictures become tensors.
        training: whether they are trained on; pictures that are scaled at random for that are not for a test.
        mean_CHW: the mean of each pixel to subtract, where `pictures` has no channel statistics; None: that of these
            very pictures, which the feed then has as `mean_CHW`, for the feed of the test pictures.
        device: where the tensors go.
        kind: `auto`: resident if all pictures are of one size and small enough, else a store if it fits the disk (and
            the memory, where pictures are kept unscaled because they are scaled at random), else loader.
        workers: processes that prepare pictures, and that build a store; no result depends on them.
        cache: the folder of stores; None: in the user's cache folder.
        identity: of the part: its data set's fingerprint and its name. A store without one could be that of others.
        progress: told how many pictures are read.

    Raises:
        UsageError: pictures of differing sizes can't be resident; a store has no identity, or no room.
        ResbenchError: a picture can't be read.
    """
    if not positions:
        raise UsageError("there are no pictures to train on or to test: the list of samples is empty")
    files = Files(split=split, positions=tuple(positions), scaling=scaling_of(pictures, training=training))
    labels_N = torch.tensor([split.labels[position] for position in positions])
    random = training and (pictures.random_resized or pictures.scale_range is not None)
    if kind == "resident" and random:
        raise UsageError(
            "pictures that are scaled at random can't be resident: set engine.feed to 'store' or 'loader'"
        )
    if kind == "resident" or (kind == "auto" and not random):
        limit_B = None if kind == "resident" else LIMIT_B
        pixels_NCHW = gathered(files, limit_B=limit_B, progress=progress)
        if pixels_NCHW is not None:
            return ResidentFeed(pixels_NCHW, labels_N, pictures, mean_CHW=mean_CHW, device=device)
        if kind == "resident":
            raise UsageError(
                "pictures of differing sizes can't be resident: set engine.feed to 'store' or 'loader'"
            )
    place = _Place(identity, cache or picture_folder(), workers, progress)
    source, said = _kept(files, kind, place)
    return SourceFeed(
        source,
        labels_N,
        pictures,
        mean_CHW=mean_CHW,
        device=device,
        workers=workers,
        said=said,
        progress=progress,
    )


class _Place(NamedTuple):
    """Where a store would lie, and how it would be built."""

    identity: str
    folder: Path
    workers: int
    progress: Report


def _kept(files: Files, kind: Kind, place: _Place) -> tuple[Source, tuple[str, str]]:
    """Return a store of the pictures, or the pictures themselves, and what that is called."""
    if kind == "store" and not place.identity:
        raise UsageError(
            "a store of pictures needs the identity of its data set: set engine.feed to 'loader'"
        )
    if kind != "store" and not (kind == "auto" and place.identity and store_fits(files, place.folder)):
        return files, ("loader", f"{len(files):,} pictures read from their files each time")
    store = open_store(files, place.identity, place.folder, workers=place.workers, progress=place.progress)
    size_MiB = store.path.stat().st_size / 2**20
    return store, ("store", f"{len(store):,} scaled pictures in {store.path}, {size_MiB:,.0f} MiB")


def picture_folder() -> Path:
    """Return the folder of stores in the user's cache."""
    return cache_folder() / "pictures"


def store_fits(files: Files, folder: Path) -> bool:
    """Whether a store of these pictures is what `auto` chooses, where they can't be resident."""
    room_B = _FILLED * bytes_free(folder)
    if files.scaling.side is None:
        # Unscaled pixels take several times the room of their files: what memory can't hold is better decoded each time.
        room_B = min(room_B, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return bytes_needed(files) < room_B
