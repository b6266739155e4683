"""Weights on labelled pictures: what the network answers for each sample, and with it all that decides the answers."""

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from resbench.datasets.data import Split
from resbench.datasets.labelled import Labelled
from resbench.datasets.progress import Report, silent
from resbench.errors import ResbenchError, UsageError
from resbench.models.backends.description import MEMORY_FORMATS
from resbench.models.devices import resolve_device
from resbench.models.precision import autocast, check_precision, float32_as, in_words, whole_dtype
from resbench.training.crops import Batch, Normalise, Viewed, joined, normalisation
from resbench.training.limits import spread
from resbench.training.precise_bn import recompute
from resbench.training.scoring import check_dense, scores
from resbench.training.seeding import deterministic
from resbench.trial.weighted import Evaluation, other_classes, weighted

TOP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the network said of each sample, in the order of the data.

    Attributes:
        model: its name in one spelling.
        weights: what they are, with their digest; or that the code made them.
        positions: of the samples in the data; fewer than all where there was a limit.
        labels: the right class of each.
        predicted: the class with the highest score.
        places: the place of the right class among the first five, counted from 0; 5: not among them.
        losses: cross entropy of the averaged scores.
        settings: how it was computed, for the record.
        notes: what a reader must know, a sentence each.
    """

    model: str
    weights: str
    positions: tuple[int, ...]
    labels: tuple[int, ...]
    predicted: tuple[int, ...]
    places: tuple[int, ...]
    losses: tuple[float, ...]
    settings: dict[str, str]
    notes: tuple[str, ...]


def evaluate(asked: Evaluation, data: Labelled, *, progress: Report = silent) -> Answers:
    """Return what the network answers.

    Raises:
        UsageError: model, weights, device, precision or protocol are not to be had, or don't fit the data.
        ResbenchError: a picture can't be read, memory runs out, or the scores are no numbers.
    """
    device = resolve_device(asked.device)
    check_precision(asked.precision, device)
    opened, weights, notes = weighted(asked, data)
    if not asked.protocol.is_cropped:
        check_dense(opened.module)
    normalise = normalisation(asked.protocol, data.train, progress=progress)
    with float32_as(asked.precision), deterministic(device):
        run = _Run(asked, _placed(opened.module, asked, device), device, normalise)
        if asked.precise_bn:
            notes = (*notes, run.take_statistics(data, progress))
        positions = spread(len(data), asked.limit)
        answers = _tallied(run.answers(data.split, positions, "testing", progress), data, opened.name)
    return Answers(
        model=opened.name,
        weights=weights,
        positions=tuple(positions),
        labels=tuple(data.split.labels[position] for position in positions),
        predicted=answers.predicted,
        places=answers.places,
        losses=answers.losses,
        settings={
            "device": str(device),
            "precision": in_words(asked.precision, whole_model=asked.whole_model, device=device),
            "memory format": asked.memory_format,
            "batch size": str(asked.batch_size),
            "precise batch norm": f"{asked.precise_bn} batches" if asked.precise_bn else "off",
        },
        notes=notes,
    )


def _placed(module: nn.Module, asked: Evaluation, device: torch.device) -> nn.Module:
    dtype = whole_dtype(asked.precision) if asked.whole_model else torch.float32
    module = module.eval().requires_grad_(requires_grad=False)
    placed = module.to(device=device, dtype=dtype)
    return placed.to(memory_format=MEMORY_FORMATS[asked.memory_format])


@dataclass(frozen=True, slots=True)
class _Run:
    """The network on its device, and how pictures reach it."""

    asked: Evaluation
    module: nn.Module
    device: torch.device
    normalise: Normalise

    def call(self, images_NCHW: Tensor) -> Tensor:
        images_NCHW = self._moved(images_NCHW)
        with (
            contextlib.nullcontext()
            if self.asked.whole_model
            else autocast(self.asked.precision, self.device)
        ):
            logits_NK: Tensor = self.module(images_NCHW)
        return logits_NK

    def _moved(self, images_NCHW: Tensor) -> Tensor:
        dtype = whole_dtype(self.asked.precision) if self.asked.whole_model else torch.float32
        moved = images_NCHW.to(self.device, dtype, non_blocking=True)
        return moved.contiguous(memory_format=MEMORY_FORMATS[self.asked.memory_format])

    def batches(self, split: Split, positions: Sequence[int]) -> Iterator[tuple[Batch, Tensor]]:
        """Yield the views of the samples at the positions, in this order."""
        loader = DataLoader(
            Viewed(split, positions, self.asked.protocol, self.normalise),
            batch_size=self.asked.batch_size,
            collate_fn=joined,
            num_workers=self.asked.workers,
            worker_init_fn=_ignore_interrupts,
            pin_memory=self.device.type == "cuda",
        )
        try:
            yield from loader
        except ResbenchError as error:
            # A worker's error arrives with its whole traceback as the message; the last line is what it said.
            said = str(error).strip().splitlines()[-1]
            raise type(error)(
                said.removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")
            ) from error

    def answers(
        self, split: Split, positions: Sequence[int], doing: str, progress: Report
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the scores (B, K) and the labels (B) of each batch, both on the CPU."""
        done = 0
        progress(doing, done, len(positions))
        for batch, labels_B in self.batches(split, positions):
            found_BK = scores(
                self.call, batch, self.asked.protocol.average, at_once=max(self.asked.batch_size, 2)
            )
            yield found_BK.cpu(), labels_B
            done += len(labels_B)
            progress(doing, done, len(positions))

    def take_statistics(self, data: Labelled, progress: Report) -> str:
        """Give batch norms the statistics of training pictures, and return what was done as a sentence."""
        if data.train is None:
            raise UsageError(
                f"precise batch norm needs training pictures, and {data.label} has none beside it: "
                "give a folder that holds train/ and val/"
            )
        if not self.asked.protocol.is_cropped:
            raise UsageError("precise batch norm takes pictures of one size: use --views center or ten_crop")
        positions = spread(len(data.train), self.asked.precise_bn * self.asked.batch_size)
        needed = -(-len(positions) // self.asked.batch_size)

        def images() -> Iterator[Tensor]:
            for done, (batch, _) in enumerate(self.batches(data.train or data.split, positions)):
                progress("statistics of batch norms", done, needed)
                if isinstance(batch, Tensor):
                    yield self._moved(batch.flatten(0, 1))

        with autocast(self.asked.precision, self.device):
            seen = recompute(self.module, images())
        return (
            f"The statistics of the batch norms were taken anew from {seen:,} test views of {len(positions):,} training "
            "pictures."
        )


@dataclass(frozen=True, slots=True)
class _Found:
    predicted: tuple[int, ...]
    places: tuple[int, ...]
    losses: tuple[float, ...]


def _tallied(batches: Iterator[tuple[Tensor, Tensor]], data: Labelled, model: str) -> _Found:
    predicted: list[int] = []
    places: list[int] = []
    losses: list[float] = []
    broken = 0
    for scores_BK, labels_B in batches:
        if scores_BK.shape[1] != len(data.classes):
            raise other_classes(model, scores_BK.shape[1], data)
        first_Bk = scores_BK.topk(min(TOP, scores_BK.shape[1]), dim=1).indices
        right_Bk = first_Bk == labels_B[:, None]
        place_B = torch.where(right_Bk.any(dim=1), right_Bk.int().argmax(dim=1), TOP)
        predicted += first_Bk[:, 0].tolist()
        places += place_B.tolist()
        losses += nn.functional.cross_entropy(scores_BK, labels_B, reduction="none").tolist()
        broken += int((~scores_BK.isfinite().all(dim=1)).sum())
    if broken:
        raise ResbenchError(
            f"the scores of {broken:,} of {len(predicted):,} samples are no finite numbers: the weights are broken, or "
            "the precision is too small for them"
        )
    return _Found(tuple(predicted), tuple(places), tuple(losses))


def _ignore_interrupts(_worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the one that evaluates."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
