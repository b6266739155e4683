"""All that is random about the training pictures of one epoch, drawn at once and then looked up by sample.

Parameters and distributions are those of torchvision's transforms (RandomCrop, RandomHorizontalFlip, ColorJitter,
RandomErasing, RandomResizedCrop). A place in a picture is kept as a share from 0 to 1, so that no size need be known.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from resbench.specs import Pictures
from resbench.training.seeding import derived

TRIES = 10
"""Boxes that torchvision draws, for want of one that fits, before it gives up."""

_ERASED_SHARE = (0.02, 0.33)
_ERASED_RATIO = (0.3, 3.3)


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What was drawn for each of N samples in one epoch.

    Attributes:
        row_N, column_N: where the crop lies between the first place and the last, from 0 to 1 (1 excluded).
        flip_N: whether it is mirrored.
        order_N4: the order in which brightness (0), contrast (1), saturation (2) and hue (3) are jittered.
        factors_N4: factors of brightness, contrast and saturation, and the shift of the hue in turns.
        erased_N4: top, left, height and width of what is erased; height 0: nothing is.
        share_NT, ratio_NT: of the picture's area, and width to height, of each of T tries of a random part.
        side_N: the shorter side in pixels to which the picture is scaled.
    """

    row_N: Tensor
    column_N: Tensor
    flip_N: Tensor
    order_N4: Tensor | None = None
    factors_N4: Tensor | None = None
    erased_N4: Tensor | None = None
    share_NT: Tensor | None = None
    ratio_NT: Tensor | None = None
    side_N: Tensor | None = None

    def crop(self, sample: int, height: int, width: int, size: int) -> Box:
        """Return the square of `size` pixels of a sample (RandomCrop)."""
        return self._placed(sample, height, width, size, size)

    def part(self, sample: int, height: int, width: int, ratios: tuple[float, float]) -> Box:
        """Return the random part of a picture of this size (RandomResizedCrop): the first try that fits, else the middle."""
        if self.share_NT is None or self.ratio_NT is None:
            return Box(0, 0, height, width)
        tries = zip(self.share_NT[sample].tolist(), self.ratio_NT[sample].tolist(), strict=True)
        for share, ratio in tries:
            area = height * width * share
            across, down = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < across <= width and 0 < down <= height:
                return self._placed(sample, height, width, down, across)
        across, down = width, height
        if width / height < ratios[0]:
            down = round(width / ratios[0])
        elif width / height > ratios[1]:
            across = round(height * ratios[1])
        return Box((height - down) // 2, (width - across) // 2, down, across)

    def _placed(self, sample: int, height: int, width: int, down: int, across: int) -> Box:
        top = math.floor(float(self.row_N[sample]) * (height - down + 1))
        left = math.floor(float(self.column_N[sample]) * (width - across + 1))
        return Box(top, left, down, across)


def draw(pictures: Pictures, count: int, *, seed: int, epoch: int) -> Draws:
    """Draw for `count` samples what the training pictures of one epoch need.

    Each kind has a stream of its own, (seed, "views", epoch, kind): what is drawn of one does not depend on whether
    another is on.
    """

    def uniform(kind: str, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(derived(seed, "views", epoch, kind))
        return torch.rand(count, *shape, generator=generator)

    place_N2 = uniform("place", 2)
    jitter = pictures.color_jitter
    order_N4 = uniform("order", 4).argsort(dim=1) if jitter else None
    factors_N4 = _factors(uniform("factors", 4), jitter) if jitter else None
    share_NT, ratio_NT = (None, None)
    if pictures.random_resized:
        share_NT = _between(uniform("shares", TRIES), *pictures.random_scale)
        ratio_NT = _log_between(uniform("ratios", TRIES), *pictures.random_ratio)
    return Draws(
        row_N=place_N2[:, 0].double(),
        column_N=place_N2[:, 1].double(),
        flip_N=uniform("flip") < 0.5 if pictures.flip else torch.zeros(count, dtype=torch.bool),
        order_N4=order_N4,
        factors_N4=factors_N4,
        erased_N4=_erased(uniform("erase", 1 + 4 * TRIES), pictures) if pictures.erase else None,
        share_NT=share_NT,
        ratio_NT=ratio_NT,
        side_N=_sides(uniform("side"), pictures.scale_range) if pictures.scale_range else None,
    )


def _between(share: Tensor, low: float, high: float) -> Tensor:
    return low + share.double() * (high - low)


def _log_between(share: Tensor, low: float, high: float) -> Tensor:
    return _between(share, math.log(low), math.log(high)).exp()


def _sides(share_N: Tensor, ends: tuple[int, int]) -> Tensor:
    return (ends[0] + share_N.double() * (ends[1] - ends[0] + 1)).floor().long()


def _factors(share_N4: Tensor, jitter: float) -> Tensor:
    factors_N4 = _between(share_N4, max(0.0, 1 - jitter), 1 + jitter)
    factors_N4[:, 3] = _between(share_N4[:, 3], -jitter, jitter)
    return factors_N4


def _erased(share_ND: Tensor, pictures: Pictures) -> Tensor:
    """Return top, left, height and width of each sample's first box that fits; zeros where nothing is erased."""
    size, tries_NT4 = pictures.crop, share_ND[:, 1:].double().view(-1, TRIES, 4)
    area_NT = size * size * _between(tries_NT4[..., 0], *_ERASED_SHARE)
    ratio_NT = _log_between(tries_NT4[..., 1], *_ERASED_RATIO)
    sides_NT2 = torch.stack([(area_NT * ratio_NT).sqrt(), (area_NT / ratio_NT).sqrt()], dim=2).round()
    fits_NT = (sides_NT2 < size).all(dim=2)
    places_NT2 = (tries_NT4[..., 2:] * (size - sides_NT2 + 1)).floor()
    boxes_NT4 = torch.cat([places_NT2, sides_NT2], dim=2).long()
    first_N = fits_NT.int().argmax(dim=1)
    boxes_N4 = boxes_NT4[torch.arange(len(first_N)), first_N]
    erased_N = (share_ND[:, 0] < pictures.erase) & fits_NT.any(dim=1)
    return torch.where(erased_N[:, None], boxes_N4, torch.zeros_like(boxes_N4))
