"""A picture to the views that a protocol tests, normalised; and the batches of them.

Pictures are scaled as PIL images, which antialiases, or without antialiasing as tensors.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as views

from resbench.datasets.data import Split
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.training.protocols import Protocol, Views
from resbench.training.run import parted
from resbench.training.sources import MODES, Files, Scaling
from resbench.training.sources import pixel_mean as mean_of_pixels

Batch = Tensor | list[list[Tensor]]
"""Views of several pictures: (B, V, C, H, W), or where their sizes differ for each picture a list of (V, C, H, W)."""

Normalise = Callable[[Tensor], Tensor]

_NO_PICTURES = "there are no training pictures to take the mean of each pixel from: give --normalise"


def views_of(picture: Image, protocol: Protocol, normalise: Normalise) -> list[Tensor]:
    """Return the views of a picture, (V, C, H, W) for each size of view."""
    if protocol.views is Views.MULTI_SCALE:
        sides: tuple[int | None, ...] = protocol.scales
    else:
        sides = (protocol.resize,)
    found = []
    for side in sides:
        image_CHW = normalise(scaled(picture, side, protocol))
        cut = _cut(image_CHW, protocol)
        if protocol.mirrored and protocol.views is not Views.TEN_CROP:
            cut += [views.horizontal_flip(view_CHW) for view_CHW in cut]
        found.append(torch.stack(cut))
    return found


def _cut(image_CHW: Tensor, protocol: Protocol) -> list[Tensor]:
    if protocol.crop is None:
        return [image_CHW]
    size = [protocol.crop, protocol.crop]
    if protocol.views is Views.TEN_CROP:
        return list(views.ten_crop(image_CHW, size))
    return [views.center_crop(image_CHW, size)]


def scaled(picture: Image, side: int | None, protocol: Protocol) -> Tensor:
    """Return the picture with its shorter side at `side` pixels, float32 from 0 to 1, (C, H, W)."""
    mode = MODES[protocol.interpolation]
    if side is None:
        return _to_float(views.pil_to_tensor(picture))
    if protocol.antialias or mode is InterpolationMode.NEAREST:
        return _to_float(views.pil_to_tensor(views.resize(picture, [side], interpolation=mode)))
    # In float32: of whole numbers, bicubic cuts off what overshoots between its two passes.
    image_CHW = _to_float(views.pil_to_tensor(picture))
    sampled_CHW: Tensor = views.resize(image_CHW, [side], interpolation=mode, antialias=False)
    return sampled_CHW.clamp(0, 1)


def _to_float(pixels_CHW: Tensor) -> Tensor:
    """Return float32 from 0 to 1, rounded as torchvision's ToTensor: v2's to_dtype multiplies by 1 / 255 instead."""
    return pixels_CHW.to(torch.float32).div(255)


@dataclass(frozen=True, slots=True)
class LessMean:
    """Subtracts a mean of each pixel, (C, H, W)."""

    mean_CHW: Tensor

    def __call__(self, image_CHW: Tensor) -> Tensor:
        """Return the picture less the mean.

        Raises:
            UsageError: it has another size.
        """
        if image_CHW.shape != self.mean_CHW.shape:
            sizes = ["x".join(map(str, image.shape[1:])) for image in (image_CHW, self.mean_CHW)]
            raise UsageError(f"the mean of each pixel is for pictures of {sizes[1]}, found {sizes[0]}")
        return image_CHW - self.mean_CHW


def normalisation(protocol: Protocol, train: Split | None, *, progress: Report = silent) -> Normalise:
    """Return what normalises a picture; a per-pixel mean is taken from the training pictures.

    Raises:
        UsageError: there are no training pictures to take it from, or they differ in size.
    """
    if protocol.mean:
        standardise: Normalise = v2.Normalize(list(protocol.mean), list(protocol.std))
        return standardise
    if train is None:
        raise UsageError(_NO_PICTURES)
    return LessMean(pixel_mean(train, protocol, progress=progress))


def pixel_mean(train: Split, protocol: Protocol, *, progress: Report = silent) -> Tensor:
    """Return the mean of each pixel over the training pictures that a recipe does not hold out; see `sources.pixel_mean`.

    Raises:
        UsageError: there are none, or their sizes differ.
    """
    positions, _ = parted(range(len(train)), protocol.held_out)
    if not positions:
        raise UsageError(_NO_PICTURES)
    scaling = Scaling(
        side=protocol.resize, interpolation=protocol.interpolation, antialias=protocol.antialias
    )
    files = Files(split=train, positions=tuple(positions), scaling=scaling)
    return mean_of_pixels(files, progress=progress)


class Viewed(Dataset[tuple[list[Tensor], int]]):
    """The views of the samples at some positions of a split, with their labels."""

    def __init__(
        self, split: Split, positions: Sequence[int], protocol: Protocol, normalise: Normalise
    ) -> None:
        self._split, self._positions = split, positions
        self._protocol, self._normalise = protocol, normalise

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> tuple[list[Tensor], int]:
        position = self._positions[index]
        found = views_of(self._split.load(position), self._protocol, self._normalise)
        return found, self._split.labels[position]


def joined(samples: Sequence[tuple[list[Tensor], int]]) -> tuple[Batch, Tensor]:
    """Return the views of several samples as one batch, and their labels (B)."""
    labels_B = torch.tensor([label for _, label in samples])
    sizes = {tuple(part.shape) for found, _ in samples for part in found}
    if len(sizes) == 1 and len(samples[0][0]) == 1:
        return torch.stack([found[0] for found, _ in samples]), labels_B
    return [found for found, _ in samples], labels_B


def by_size(batch: list[list[Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the views of each size, (N, C, H, W), with the number of the sample that each is of, (N)."""
    groups: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}
    for sample, found in enumerate(batch):
        for part_VCHW in found:
            groups.setdefault(tuple(part_VCHW.shape[1:]), []).append((sample, part_VCHW))
    for parts in groups.values():
        owners_N = torch.cat([torch.full((len(part),), sample) for sample, part in parts])
        yield torch.cat([part for _, part in parts]), owners_N
