from dataclasses import replace

import pytest

from resbench.errors import UsageError
from resbench.training.protocols import (
    Average,
    Protocol,
    Views,
    imagenet_protocol,
    in_words,
    protocol_of,
)
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020

CENTER = Protocol(views=Views.CENTER)
DENSE = replace(CENTER, views=Views.MULTI_SCALE, crop=None, mirrored=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"interpolation": "lanczos"}, "unknown interpolation 'lanczos'"),
        ({"crop": None}, "views 'center' need --crop"),
        ({"views": Views.FULL}, "views 'full' take no --crop"),
        ({"crop": 320}, "a crop of 320 does not fit"),
        ({"views": Views.MULTI_SCALE, "crop": None, "scales": ()}, "need --scales"),
        ({"views": Views.FULL, "crop": None, "mean": (), "std": ()}, "a per-pixel mean has one"),
        ({"std": (0.0, 1.0, 1.0)}, "zero"),
    ],
)
def test_what_can_not_be_done_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        replace(CENTER, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "count"),
    [
        (CENTER, 1),
        (replace(CENTER, mirrored=True), 2),
        (replace(CENTER, views=Views.TEN_CROP), 10),
        (replace(CENTER, views=Views.TEN_CROP, mirrored=True), 10),  # it has its mirror images
        (DENSE, 10),  # five scales and their mirror images
    ],
)
def test_how_many_views(protocol: Protocol, count: int) -> None:
    assert protocol.count == count


@pytest.mark.parametrize(("crop", "resize"), [(224, 256), (299, 342)])
def test_the_usual_protocol_of_imagenet_is_torchvisions(crop: int, resize: int) -> None:
    """ResNet_V1 and Inception_V3 in torchvision: resize_size 256 and 342."""
    assert imagenet_protocol(crop).resize == resize


def test_words() -> None:
    assert in_words(CENTER) == (
        "centre crop of 224; shorter side resized to 256 (bilinear, antialiased); mean 0.485/0.456/0.406, "
        "std 0.229/0.224/0.225"
    )
    assert in_words(protocol_of(VOC_ZJ2020.pictures)) == (
        "ten crops of 224; shorter side resized to 256 (bilinear, antialiased); mean 0.5, std 0.5; "
        "logits averaged over 10 views"
    )
    assert in_words(protocol_of(HE2015_CIFAR.pictures, held_out=5000)) == (
        "centre crop of 32; not resized; less the training pictures' mean of each pixel (5,000 held out)"
    )
    words = in_words(replace(DENSE, average=Average.PROBABILITIES, antialias=False, interpolation="bicubic"))
    assert words.startswith(
        "whole picture at each scale and its mirror image; shorter side resized to 224, 256, 384"
    )
    assert "(bicubic, not antialiased)" in words
    assert words.endswith("probabilities averaged over 10 views")
