"""Batches of pictures from this process or from worker processes, brought to the training device."""

import signal
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch.utils.data import DataLoader, Dataset

from resbench.errors import ResbenchError
from resbench.training.cutting import Batch


def delivered(
    made: Dataset[Batch], batches: Sequence[Sequence[int]], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """Yield each batch, on the device.

    Args:
        made: makes a batch of a list of samples.
        batches: the lists of samples.
        workers: processes that make them; 0: this one does.
        device: where they go, from pinned memory where it is a GPU.

    Raises:
        ResbenchError: what a picture's file raised, in a worker, too, as one line.
    """
    pinned = device.type == "cuda"
    loader: Iterator[Batch] = iter(
        DataLoader(
            made,
            batch_size=None,
            sampler=cast("Sequence[int]", [list(batch) for batch in batches]),
            num_workers=min(workers, len(batches)),
            worker_init_fn=_ignore_interrupts,
            pin_memory=pinned,
            generator=torch.Generator(),  # it draws seeds for workers, which no view needs: not from the global one
        )
    )
    try:
        for images, labels_B in loader:
            yield images.to(device, non_blocking=pinned), labels_B.to(device, non_blocking=pinned)
    except ResbenchError as error:
        # A worker's error arrives with its whole traceback as the message; the last line is what it said.
        said = str(error).strip().splitlines()[-1]
        raise type(error)(said.removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")) from error
    finally:
        # Not left to the garbage collector: an error's traceback holds the loader, and so its workers, for long.
        if end := getattr(loader, "_shutdown_workers", None):
            end()


def _ignore_interrupts(_worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the one that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
