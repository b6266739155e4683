"""Windows of pictures: the training view of each sample, and the ten crops of a test."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import Dataset

from resbench.errors import UsageError
from resbench.specs import Pictures
from resbench.training.draws import Draws
from resbench.training.normalising import Normaliser, distort
from resbench.training.sources import Scaling, Source, scaled_part

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainingBatches(Dataset[Batch]):
    """The training views of one epoch, by lists of samples: (B, 3, crop, crop) float32, and labels (B).

    Pictures are done one after the other: what a picture needs stays in the processor's cache.

    Attributes:
        room: where it is a list, each batch lies in the memory of the one before: to take new pages from the system each
            time costs a third of what a training view does, and ten times what ten crops do.
    """

    source: Source
    labels_N: Tensor
    pictures: Pictures
    normalise: Normaliser
    draws: Draws
    room: list[Tensor] | None = None

    def __getitem__(self, samples: Sequence[int]) -> Batch:
        """Return one batch."""
        samples_B, size = torch.as_tensor(samples), self.pictures.crop
        images_BCHW = _room_for((len(samples), 3, size, size), self.room)
        for slot, sample in enumerate(samples):
            self._view(images_BCHW[slot : slot + 1], sample, samples_B[slot : slot + 1])
        return images_BCHW, self.labels_N[samples_B]

    def _view(self, out_1CHW: Tensor, sample: int, samples_1: Tensor) -> None:
        pictures, size = self.pictures, self.pictures.crop
        pixels_CHW = self.source.pixels(sample)
        scaling = Scaling(side=None, interpolation=pictures.interpolation, antialias=pictures.antialias)
        height, width = pixels_CHW.shape[1:]
        if pictures.random_resized:
            part = self.draws.part(sample, height, width, pictures.random_ratio)
            pixels_CHW = scaled_part(pixels_CHW, part, [size, size], scaling)
        elif self.draws.side_N is not None:
            pixels_CHW = scaled_part(pixels_CHW, None, [int(self.draws.side_N[sample])], scaling)
        if pictures.pad and not pictures.random_resized:
            pixels_CHW = pad(pixels_CHW, (pictures.pad,) * 4)
        self._cut(out_1CHW, pixels_CHW, sample)
        distort(out_1CHW, samples_1, self.draws)
        if pictures.pad and pictures.pad_space == "input" and not pictures.random_resized:
            mean_CHW = self.normalise.padded_mean(height, width, pictures.pad)
            mean_1CHW = torch.empty_like(out_1CHW)
            self._cut(mean_1CHW, mean_CHW, sample)
            self.normalise.less(out_1CHW, mean_1CHW)
        else:
            self.normalise(out_1CHW)

    def _cut(self, out_1CHW: Tensor, plane_CHW: Tensor, sample: int) -> None:
        """Write the sample's window of a plane, mirrored if it was drawn so."""
        height, width = plane_CHW.shape[1:]
        size = self.pictures.crop
        check_size(height, width, size)
        if not self.pictures.random_resized:
            box = self.draws.crop(sample, height, width, size)
            plane_CHW = plane_CHW[:, box.top : box.top + size, box.left : box.left + size]
        if self.draws.flip_N[sample]:
            plane_CHW = plane_CHW.flip(2)
        out_1CHW[0].copy_(plane_CHW)


@dataclass(frozen=True, kw_only=True)
class TestBatches(Dataset[Batch]):
    """The fixed test views, by lists of samples: (B, V, 3, crop, crop) float32, and labels (B); `room` as in training."""

    __test__ = False  # no test of pytest

    source: Source
    labels_N: Tensor
    pictures: Pictures
    normalise: Normaliser
    room: list[Tensor] | None = None

    def __getitem__(self, samples: Sequence[int]) -> Batch:
        """Return one batch."""
        size, views = self.pictures.crop, self.pictures.test_views
        images_BVCHW = _room_for((len(samples), views, 3, size, size), self.room)
        for slot, sample in enumerate(samples):
            image_CHW = self.normalise(self.source.pixels(sample).to(torch.float32).div_(255))
            check_size(image_CHW.shape[1], image_CHW.shape[2], size)
            fill = ten_crops if views == 10 else centre_crop
            fill(images_BVCHW[slot], image_CHW)
        return images_BVCHW, self.labels_N[torch.as_tensor(samples)]


def _room_for(shape: tuple[int, ...], room: list[Tensor] | None) -> Tensor:
    if room is None:
        return torch.empty(shape)
    if not room or len(room[0]) < shape[0]:
        room[:] = [torch.empty(shape)]
    return room[0][: shape[0]]


def ten_crops(out_VCHW: Tensor, image_CHW: Tensor) -> None:
    """Write torchvision's ten crops: the corners (top left, top right, bottom left, bottom right), centre; then mirrored.

    The four corners are one strided view of the picture.
    """
    size = out_VCHW.shape[-1]
    for first, plane_CHW in ((0, image_CHW), (5, image_CHW.flip(2))):
        out_VCHW[first : first + 4].view(2, 2, -1, size, size).copy_(corners(plane_CHW, size))
        centre_crop(out_VCHW[first + 4 : first + 5], plane_CHW)


def corners(image_CHW: Tensor, size: int) -> Tensor:
    """Return a view of the four corners of a contiguous picture, (bottom, right, C, size, size)."""
    channels, height, width = image_CHW.shape
    of_channel, of_row, of_column = image_CHW.stride()
    strides = ((height - size) * of_row, (width - size) * of_column, of_channel, of_row, of_column)
    return image_CHW.as_strided((2, 2, channels, size, size), strides, image_CHW.storage_offset())


def centre_crop(out_1CHW: Tensor, image_CHW: Tensor) -> None:
    """Write torchvision's centre crop."""
    size, (height, width) = out_1CHW.shape[-1], image_CHW.shape[1:]
    top, left = round((height - size) / 2), round((width - size) / 2)
    out_1CHW[0].copy_(image_CHW[:, top : top + size, left : left + size])


def check_size(height: int, width: int, size: int) -> None:
    """Refuse a picture that is too small.

    Raises:
        UsageError: no crop of this size fits.
    """
    if min(height, width) < size:
        raise UsageError(
            f"a picture has {width}x{height} pixels, which holds no crop of {size}: give the recipe pictures.resize, "
            "or a smaller pictures.crop"
        )
