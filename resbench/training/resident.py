"""Pictures of one size, all of them in one tensor on the training device, cut and mirrored a batch at a time."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from resbench.datasets.progress import Report, silent
from resbench.specs import Pictures
from resbench.training.cutting import Batch, check_size, corners
from resbench.training.draws import Draws, draw
from resbench.training.normalising import distort, normaliser
from resbench.training.sources import Source

LIMIT_B = 2 * 2**30
"""Sets up to this size are held."""


def gathered(source: Source, *, limit_B: int | None = None, progress: Report = silent) -> Tensor | None:
    """Return all pictures, uint8 (N, 3, H, W); None where their sizes differ, or they take more than the limit."""
    first_CHW = source.pixels(0)
    if limit_B is not None and first_CHW.numel() * len(source) > limit_B:
        return None
    pixels_NCHW = torch.empty(len(source), *first_CHW.shape, dtype=torch.uint8)
    for sample in range(len(source)):
        pixels_CHW = source.pixels(sample) if sample else first_CHW
        if pixels_CHW.shape != first_CHW.shape:
            return None
        pixels_NCHW[sample] = pixels_CHW
        if sample % 1000 == 0:
            progress("reading pictures", sample, len(source))
    progress("reading pictures", len(source), len(source))
    return pixels_NCHW


def mean_of(pixels_NCHW: Tensor) -> Tensor:
    """Return the mean of each pixel, float32 (3, H, W), from 0 to 1."""
    parts = (part.sum(dim=0, dtype=torch.int64) for part in pixels_NCHW.split(4096))
    total_CHW = torch.stack(list(parts)).sum(dim=0)
    return (total_CHW / (255 * len(pixels_NCHW))).to(torch.float32)


class ResidentFeed:
    """Holds every picture on the device, zeros around each; see `resbench.training.feeds.Feed`."""

    kind = "resident"

    def __init__(
        self,
        pixels_NCHW: Tensor,
        labels_N: Tensor,
        pictures: Pictures,
        *,
        mean_CHW: Tensor | None,
        device: torch.device,
    ) -> None:
        self.mean_CHW = mean_of(pixels_NCHW) if not pictures.mean and mean_CHW is None else mean_CHW
        self._pictures, self._device = pictures, device
        self._normalise = normaliser(pictures, self.mean_CHW).to(device)
        self._height, self._width = pixels_NCHW.shape[2:]
        self._padded_NCHW = pad(pixels_NCHW, (pictures.pad,) * 4).to(device)
        self.labels_N = labels_N.to(device)
        self.note = f"{len(pixels_NCHW):,} pictures in memory, {self._padded_NCHW.numel() / 2**20:,.0f} MiB"

    def __len__(self) -> int:
        return len(self.labels_N)

    def training_batches(self, batches: Sequence[Sequence[int]], *, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield (images_BCHW, labels_B) of each list of samples, as drawn for them in this epoch."""
        draws = draw(self._pictures, len(self), seed=seed, epoch=epoch)
        height, width = self._padded_NCHW.shape[2:]
        check_size(height, width, self._pictures.crop)
        crop, sizes = self._pictures.crop, [len(samples) for samples in batches]
        visits_V = torch.tensor([sample for samples in batches for sample in samples], dtype=torch.long)
        where = (
            (draws.row_N * (height - crop + 1)).floor().long()[visits_V],
            (draws.column_N * (width - crop + 1)).floor().long()[visits_V],
            draws.flip_N[visits_V],
            visits_V,
        )
        # Of all batches at once: a copy to the device at each step would wait for it.
        there = [part.to(self._device).split(sizes) for part in where]
        for samples_B, top_B, left_B, flip_B, at_B in zip(visits_V.split(sizes), *there, strict=True):
            yield self._training_batch(samples_B, at_B, Windows(top_B, left_B, flip_B, crop), draws)

    def _training_batch(self, samples_B: Tensor, at_B: Tensor, windows: "Windows", draws: Draws) -> Batch:
        """Return one batch; `samples_B` are on the CPU, like the draws, `at_B` the same on the device."""
        pictures = self._pictures
        images_BCHW = distort(windows.of(self._padded_NCHW, at_B).float(), samples_B, draws)
        if pictures.pad and pictures.pad_space == "input":
            mean_CHW = self._normalise.padded_mean(self._height, self._width, pictures.pad)
            self._normalise.less(images_BCHW, windows.of(mean_CHW[None], torch.zeros_like(at_B)))
        else:
            self._normalise(images_BCHW)
        return images_BCHW, self.labels_N[at_B]

    def test_batches(self, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
        """Yield (images_BVCHW, labels_B) of each list of samples."""
        size, edge = self._pictures.crop, self._pictures.pad
        height, width = self._height, self._width
        check_size(height, width, size)
        top, left = round((height - size) / 2), round((width - size) / 2)
        for samples in batches:
            at_B = torch.as_tensor(samples).to(self._device)
            whole_BCHW = self._padded_NCHW[at_B][..., edge : edge + height, edge : edge + width]
            images_BCHW = self._normalise(whole_BCHW.to(torch.float32).div_(255))
            views = []
            for plane_BCHW in (images_BCHW, images_BCHW.flip(3))[
                : 1 if self._pictures.test_views == 1 else 2
            ]:
                if self._pictures.test_views == 10:
                    flat = corners(plane_BCHW.contiguous().flatten(0, 1), size)
                    views += [flat[i, j].unflatten(0, (-1, 3)) for i in (0, 1) for j in (0, 1)]
                views.append(plane_BCHW[..., top : top + size, left : left + size])
            yield torch.stack(views, dim=1), self.labels_N[at_B]


class Windows:
    """One square window for each sample of a batch, some of them mirrored."""

    def __init__(self, top_B: Tensor, left_B: Tensor, flip_B: Tensor, size: int) -> None:
        steps = torch.arange(size, device=top_B.device)
        self._rows_BH = top_B[:, None] + steps
        self._columns_BW = left_B[:, None] + torch.where(flip_B[:, None], size - 1 - steps, steps)

    def of(self, planes_NCHW: Tensor, at_B: Tensor) -> Tensor:
        """Return the windows of some of the planes, (B, C, size, size)."""
        _, channels, height, width = planes_NCHW.shape
        first_BC = at_B[:, None] * channels + torch.arange(channels, device=at_B.device)
        rows_BCH = first_BC[:, :, None] * height + self._rows_BH[:, None, :]
        places_BCHW = rows_BCH[..., None] * width + self._columns_BW[:, None, None, :]
        return planes_NCHW.reshape(-1)[places_BCHW]
