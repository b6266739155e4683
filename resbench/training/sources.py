"""Where the pixels of a sample come from: each picture as uint8 (3, H, W), scaled to its shorter side."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as views

from resbench.datasets.data import Split
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.specs import Pictures
from resbench.training.draws import Box

MODES: Final = {
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
    "nearest": InterpolationMode.NEAREST,
}


class Source(Protocol):
    """The pictures of a part of a data set; can be pickled."""

    def __len__(self) -> int:
        """Return how many there are."""

    def pixels(self, sample: int) -> Tensor:
        """Return one picture, uint8 (3, H, W); it is not to be written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How pictures are scaled before they are cut: to which shorter side (None: not at all), and how."""

    side: int | None
    interpolation: str
    antialias: bool

    def __call__(self, picture: Image.Image) -> Tensor:
        """Return the picture's pixels, scaled."""
        if self.side is None:
            return pixels_of(picture)
        return scaled(picture, [self.side], self)


def scaling_of(pictures: Pictures, *, training: bool) -> Scaling:
    """Return how pictures are scaled once; training pictures that are scaled at random are not."""
    random = training and (pictures.random_resized or pictures.scale_range is not None)
    return Scaling(
        side=None if random else pictures.resize,
        interpolation=pictures.interpolation,
        antialias=pictures.antialias,
    )


def pixels_of(picture: Image.Image) -> Tensor:
    """Return the pixels of a picture, uint8 (3, H, W)."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def scaled(picture: Image.Image, size: list[int], scaling: Scaling) -> Tensor:
    """Return the pixels of a picture scaled as torchvision's Resize(size): PIL antialiases, tensors need not."""
    mode = MODES[scaling.interpolation]
    if scaling.antialias or mode is InterpolationMode.NEAREST:
        return pixels_of(views.resize(picture, size, interpolation=mode))
    pixels_CHW: Tensor = views.resize(pixels_of(picture), size, interpolation=mode, antialias=False)
    return pixels_CHW


def scaled_part(pixels_CHW: Tensor, box: Box | None, size: list[int], scaling: Scaling) -> Tensor:
    """Return a part of a picture (None: all of it), scaled."""
    picture = Image.fromarray(pixels_CHW.permute(1, 2, 0).contiguous().numpy())
    if box is not None:
        picture = picture.crop((box.left, box.top, box.left + box.width, box.top + box.height))
    return scaled(picture, size, scaling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Pictures that are read, decoded and scaled each time."""

    split: Split
    positions: tuple[int, ...]
    scaling: Scaling

    def __len__(self) -> int:
        return len(self.positions)

    def pixels(self, sample: int) -> Tensor:
        """Return one picture, uint8 (3, H, W)."""
        return self.scaling(self.split.load(self.positions[sample]))


def pixel_mean(source: Source, *, progress: Report = silent) -> Tensor:
    """Return the mean of each channel of each pixel over pictures of one size: float32, (3, H, W), from 0 to 1.

    Raises:
        UsageError: their sizes differ.
    """
    total_CHW = torch.zeros((), dtype=torch.int64)
    for sample in range(len(source)):
        pixels_CHW = source.pixels(sample)
        if sample and pixels_CHW.shape != total_CHW.shape:
            raise UsageError(
                "the training pictures differ in size, so that no pixel has a mean: give the mean and deviation of each "
                "channel (pictures.mean and pictures.std of a recipe, or --normalise)"
            )
        total_CHW = total_CHW + pixels_CHW.to(torch.int64)
        if sample % 1000 == 0:
            progress("mean of the pictures", sample, len(source))
    return (total_CHW / (255 * len(source))).to(torch.float32)
