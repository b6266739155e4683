"""Pictures to tensors: the random training view of a sample and its fixed test views."""

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as views

from resbench.datasets.data import Split
from resbench.specs import Pictures
from resbench.training.seeding import stream

KEEP_B = 2**30
"""Decoded, resized pictures are kept in memory up to this size: decoding is the dearest part of a small run."""


def spread(count: int, limit: int | None) -> list[int]:
    """Return `limit` positions spread evenly over `count`, so that a reduced run sees every part of an index."""
    if limit is None or limit >= count:
        return list(range(count))
    return [position * count // limit for position in range(limit)]


class Resized:
    """The pictures at some positions of a split, each resized to its shorter side once and kept while there is room."""

    def __init__(self, split: Split, positions: list[int], pictures: Pictures) -> None:
        self._split, self._positions, self._resize = split, positions, pictures.resize
        self._kept: dict[int, Image] = {}
        self._room_B = KEEP_B

    def __len__(self) -> int:
        return len(self._positions)

    def picture(self, index: int) -> Image:
        """Return the resized picture of the sample at `index` of this (possibly limited) set."""
        if index not in self._kept:
            picture = self._split.load(self._positions[index])
            if self._resize is not None:
                picture = views.resize(picture, [self._resize])
            size_B = 3 * picture.width * picture.height
            if size_B > self._room_B:
                return picture
            self._room_B -= size_B
            self._kept[index] = picture
        return self._kept[index]

    def label(self, index: int) -> int:
        """Return the class of the sample at `index`."""
        return self._split.labels[self._positions[index]]


def pixel_mean(resized: Resized) -> Tensor:
    """Return the mean of each channel of each pixel over pictures of one size: float32, (3, H, W), scale 0 to 1."""
    total = torch.zeros((), dtype=torch.int64)
    for index in range(len(resized)):
        total = total + views.pil_to_tensor(resized.picture(index)).to(torch.int64)
    return (total / (255 * len(resized))).to(torch.float32)


class TrainingView(Dataset[tuple[Tensor, int]]):
    """The random training view of each sample, (3, crop, crop), in the order of steps that `Pictures` states.

    What is drawn for a sample depends on the seed, the epoch and the sample alone.
    """

    def __init__(
        self, resized: Resized, pictures: Pictures, mean: Tensor | None, *, seed: int, epoch: int
    ) -> None:
        self._resized, self._seed, self._epoch = resized, seed, epoch
        self._transform = training_transform(pictures, mean)

    def __len__(self) -> int:
        return len(self._resized)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with stream(self._seed, "view", self._epoch, index):
            image_CHW: Tensor = self._transform(self._resized.picture(index))
        return image_CHW, self._resized.label(index)


class EvaluationView(Dataset[tuple[Tensor, int]]):
    """The fixed test views of each sample, (views, 3, crop, crop)."""

    def __init__(self, resized: Resized, pictures: Pictures, mean: Tensor | None) -> None:
        self._resized, self._pictures = resized, pictures
        self._normalise = normalisation(pictures, mean)

    def __len__(self) -> int:
        return len(self._resized)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image_CHW = self._normalise(to_float(self._resized.picture(index)))
        crop = [self._pictures.crop, self._pictures.crop]
        if self._pictures.test_views == 10:
            crops = views.ten_crop(image_CHW, crop)
        else:
            crops = [views.center_crop(image_CHW, crop)]
        return torch.stack(list(crops)), self._resized.label(index)


def to_float(picture: Image) -> Tensor:
    """Return a picture as float32 (3, H, W) on the scale 0 to 1, rounded as torchvision's ToTensor rounds.

    v2's to_dtype multiplies by 1 / 255 instead of dividing by 255, which differs in the last bit.
    """
    image_CHW: Tensor = views.pil_to_tensor(picture)
    return image_CHW.to(torch.float32).div(255)


class SubtractMean(nn.Module):
    """Subtract a per-pixel mean, (3, H, W)."""

    def __init__(self, mean_CHW: Tensor) -> None:
        super().__init__()
        self.mean_CHW = mean_CHW

    def forward(self, image_CHW: Tensor) -> Tensor:
        """Return the picture less the mean."""
        return image_CHW - self.mean_CHW


def normalisation(pictures: Pictures, mean: Tensor | None) -> nn.Module:
    """Return what subtracts the per-pixel `mean`, or else standardises the channels as `pictures` says."""
    if mean is not None:
        return SubtractMean(mean)
    standardise: nn.Module = v2.Normalize(list(pictures.mean), list(pictures.std))
    return standardise


def training_transform(pictures: Pictures, mean: Tensor | None) -> v2.Compose:
    """Return the steps from a resized picture to the tensor that is trained on."""
    jitter, size = pictures.color_jitter, pictures.crop
    flip = [v2.RandomHorizontalFlip()] if pictures.flip else []
    if pictures.pad:
        # The padding is zero in the space of the network's input: after the mean is subtracted, as He et al. have it.
        padded = v2.RandomCrop(size, padding=pictures.pad)
        return v2.Compose([v2.Lambda(to_float), normalisation(pictures, mean), padded, *flip])
    colour = [v2.ColorJitter(jitter, jitter, jitter, jitter)] if jitter else []
    erase = [v2.RandomErasing(p=pictures.erase)] if pictures.erase else []
    return v2.Compose(
        [v2.RandomCrop(size), *flip, *colour, v2.Lambda(to_float), *erase, normalisation(pictures, mean)]
    )
