"""Which views of a picture are tested, and how their scores become one: the evaluation protocol, as data. No torch."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from resbench.errors import UsageError
from resbench.specs import Pictures

SCALES: Final = (224, 256, 384, 480, 640)
"""Shorter sides of the multi-scale test: He et al., Deep Residual Learning (2015), section 3.4."""

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)

INTERPOLATIONS: Final = ("bilinear", "bicubic", "nearest")


class Views(StrEnum):
    """Which views of a picture the network sees."""

    CENTER = "center"
    """One crop from the middle."""
    TEN_CROP = "ten_crop"
    """Four corners and the middle, and the mirror image of each."""
    FULL = "full"
    """The whole picture, whatever its shape: convolutional, global pooling averages over all positions."""
    MULTI_SCALE = "multi_scale"
    """The whole picture at several sizes, each with its mirror image."""


class Average(StrEnum):
    """What is averaged over the views of a picture."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way to test; the steps run in the order of the fields.

    Attributes:
        resize: the shorter side is scaled to this many pixels; None: not at all.
        scales: in place of `resize` for `multi_scale`.
        interpolation: of the scaling.
        antialias: whether shrinking averages over all pixels, as PIL does; else it samples, as tensors once were scaled.
        mean, std: of each channel, on the scale 0 to 1; both empty: the training set's per-pixel mean is subtracted.
        crop: side of the square; None: no crop (`full` and `multi_scale`).
        mirrored: whether each view is joined by its mirror image; ten crops have theirs already.
        average: over the views.
        held_out: so many training samples, those that a recipe holds out for validation, are not in a per-pixel mean.
    """

    views: Views
    resize: int | None = 256
    scales: tuple[int, ...] = SCALES
    interpolation: str = "bilinear"
    antialias: bool = True
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    crop: int | None = 224
    mirrored: bool = False
    average: Average = Average.LOGITS
    held_out: int = 0

    def __post_init__(self) -> None:
        """Refuse what can't be done.

        Raises:
            UsageError: with what is wrong.
        """
        if self.interpolation not in INTERPOLATIONS:
            raise UsageError(
                f"unknown interpolation '{self.interpolation}': choose from {', '.join(INTERPOLATIONS)}"
            )
        if self.is_cropped != (self.crop is not None):
            raise UsageError(f"views '{self.views}' {'need' if self.is_cropped else 'take no'} --crop")
        if self.crop and self.resize and self.crop > self.resize:
            raise UsageError(
                f"a crop of {self.crop} does not fit pictures whose shorter side is resized to {self.resize}: "
                "give --resize, too"
            )
        if self.views is Views.MULTI_SCALE and not self.scales:
            raise UsageError("views 'multi_scale' need --scales")
        if not self.is_cropped and not self.mean:
            raise UsageError(
                f"views '{self.views}' differ in size, and a per-pixel mean has one: give --normalise"
            )
        if self.std and not all(self.std):
            raise UsageError("a standard deviation of zero can't be divided by")

    @property
    def is_cropped(self) -> bool:
        """Whether all views are squares of one size."""
        return self.views in (Views.CENTER, Views.TEN_CROP)

    @property
    def count(self) -> int:
        """How many views of a picture there are."""
        views = {Views.TEN_CROP: 10, Views.MULTI_SCALE: len(self.scales)}.get(self.views, 1)
        return views * (2 if self.mirrored and self.views is not Views.TEN_CROP else 1)


def protocol_of(pictures: Pictures, *, held_out: int = 0) -> Protocol:
    """Return the protocol by which training with these pictures, and without so many of them, tests."""
    return Protocol(
        views=Views.TEN_CROP if pictures.test_views == 10 else Views.CENTER,
        resize=pictures.resize,
        interpolation=pictures.interpolation,
        antialias=pictures.antialias,
        mean=pictures.mean,
        std=pictures.std,
        crop=pictures.crop,
        held_out=held_out,
    )


def imagenet_protocol(crop: int) -> Protocol:
    """Return the usual protocol for a network whose input is `crop` pixels: the shorter side to 8/7 of it, the middle cut out.

    224 gives 256, and 299 gives 342: what torchvision has for its first weights.
    """
    return Protocol(views=Views.CENTER, resize=round(crop * 8 / 7), crop=crop)


def in_words(protocol: Protocol) -> str:
    """Return a protocol as a sentence without its full stop."""
    sides = protocol.scales if protocol.views is Views.MULTI_SCALE else (protocol.resize,)
    how = f"{protocol.interpolation}, {'antialiased' if protocol.antialias else 'not antialiased'}"
    resized = f"shorter side resized to {', '.join(map(str, sides))} ({how})" if sides[0] else "not resized"
    what = {
        Views.CENTER: f"centre crop of {protocol.crop}",
        Views.TEN_CROP: f"ten crops of {protocol.crop}",
        Views.FULL: "whole picture",
        Views.MULTI_SCALE: "whole picture at each scale",
    }[protocol.views]
    mirrored = " and its mirror image" if protocol.mirrored and protocol.views is not Views.TEN_CROP else ""
    averaged = f"; {protocol.average} averaged over {protocol.count} views" if protocol.count > 1 else ""
    normalised = (
        f"mean {_numbers(protocol.mean)}, std {_numbers(protocol.std)}"
        if protocol.mean
        else "less the training pictures' mean of each pixel"
        + (f" ({protocol.held_out:,} held out)" if protocol.held_out else "")
    )
    return f"{what}{mirrored}; {resized}; {normalised}{averaged}"


def _numbers(values: tuple[float, ...]) -> str:
    distinct = dict.fromkeys(values)
    return "/".join(f"{value:g}" for value in (distinct if len(distinct) == 1 else values))
