"""Against torchvision's transforms, view by view, and against the views that training tests."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as v1

from resbench.datasets.data import Split
from resbench.errors import UsageError
from resbench.training.crops import LessMean, Viewed, by_size, joined, normalisation, pixel_mean, views_of
from resbench.training.feeds import open_feed
from resbench.training.protocols import IMAGENET_MEAN, IMAGENET_STD, Protocol, Views, protocol_of
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.run import parted

CENTER = Protocol(views=Views.CENTER, resize=40, crop=32)
NORMALISE = transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)


class Pictures:
    """Noise of a few sizes; the same for the same number."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = sizes

    def __call__(self, index: int) -> Image.Image:
        width, height = self.sizes[index % len(self.sizes)]
        random = np.random.default_rng(index)
        return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))


def split(count: int, *sizes: tuple[int, int]) -> Split:
    return Split(labels=tuple(i % 3 for i in range(count)), load=Pictures(*sizes))


PICTURE = Pictures((70, 51))(0)


def views(protocol: Protocol) -> list[torch.Tensor]:
    return views_of(PICTURE, protocol, normalisation(protocol, None))


def test_one_crop_is_torchvisions() -> None:
    """The transforms of its reference for ImageNet."""
    reference = transforms.Compose(
        [transforms.Resize(40), transforms.CenterCrop(32), transforms.ToTensor(), NORMALISE]
    )
    (found_VCHW,) = views(CENTER)
    assert torch.equal(found_VCHW, reference(PICTURE)[None])


def test_ten_crops_are_torchvisions() -> None:
    reference = transforms.Compose(
        [
            transforms.Resize(40),
            transforms.TenCrop(32),
            transforms.Lambda(lambda crops: torch.stack([NORMALISE(v1.to_tensor(crop)) for crop in crops])),
        ]
    )
    (found_VCHW,) = views(replace(CENTER, views=Views.TEN_CROP))
    assert torch.equal(found_VCHW, reference(PICTURE))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("antialias", [True, False])
def test_scaling_is_what_it_is_called(interpolation: str, antialias: bool) -> None:
    mode: Any = InterpolationMode(interpolation)
    (found_VCHW,) = views(
        replace(CENTER, views=Views.FULL, crop=None, interpolation=interpolation, antialias=antialias)
    )
    if antialias or interpolation == "nearest":  # PIL averages, but for the nearest
        expected_CHW = NORMALISE(v1.to_tensor(v1.resize(PICTURE, 40, mode)))
    else:
        pixels_CHW = v1.to_tensor(PICTURE)
        sampled_CHW = nn.functional.interpolate(
            pixels_CHW[None], size=(40, 54), mode=interpolation, align_corners=False, antialias=False
        )[0].clamp(0, 1)
        expected_CHW = NORMALISE(sampled_CHW)
    torch.testing.assert_close(found_VCHW, expected_CHW[None], rtol=0, atol=0 if antialias else 1e-6)


def test_without_antialiasing_other_pixels_come_out() -> None:
    sampled = replace(CENTER, antialias=False)
    assert not torch.allclose(views(CENTER)[0], views(sampled)[0], atol=0.1)


def test_each_scale_comes_whole_with_its_mirror_image() -> None:
    protocol = replace(CENTER, views=Views.MULTI_SCALE, crop=None, mirrored=True, scales=(16, 25, 64))
    found = views(protocol)
    assert [part.shape for part in found] == [(2, 3, 16, 21), (2, 3, 25, 34), (2, 3, 64, 87)]
    for part_VCHW, side in zip(found, protocol.scales, strict=True):
        expected_CHW = NORMALISE(v1.to_tensor(v1.resize(PICTURE, side)))
        assert torch.equal(part_VCHW[0], expected_CHW)
        assert torch.equal(part_VCHW[1], expected_CHW.flip(-1))


def test_a_picture_that_is_not_resized_keeps_its_size() -> None:
    (found_VCHW,) = views(replace(CENTER, views=Views.FULL, resize=None, crop=None))
    assert found_VCHW.shape == (1, 3, 51, 70)


@pytest.mark.parametrize(
    ("recipe", "sizes", "kind"),
    [
        (VOC_ZJ2020, ((70, 51), (300, 400)), "loader"),
        (HE2015_CIFAR, ((32, 32),), "loader"),
        (HE2015_CIFAR, ((32, 32),), "resident"),
    ],
)
def test_training_tests_the_same_views(
    recipe: Any, sizes: tuple[tuple[int, int], ...], kind: Literal["loader", "resident"]
) -> None:
    data, device = split(4, *sizes), torch.device("cpu")
    mean_CHW = open_feed(data, range(4), recipe.pictures, device=device, kind=kind).mean_CHW
    theirs = open_feed(
        data, range(4), recipe.pictures, training=False, mean_CHW=mean_CHW, device=device, kind=kind
    )
    protocol = protocol_of(recipe.pictures)
    ours = Viewed(data, range(4), protocol, normalisation(protocol, data))
    ((theirs_BVCHW, theirs_B),) = theirs.test_batches([range(4)])
    ours_BVCHW, ours_B = joined([ours[i] for i in range(4)])
    assert isinstance(ours_BVCHW, torch.Tensor)
    torch.testing.assert_close(ours_BVCHW, theirs_BVCHW, rtol=0, atol=1e-6)
    assert torch.equal(ours_B, theirs_B)


def test_the_mean_is_numpys_and_leaves_out_what_a_recipe_holds_out() -> None:
    data = split(20, (8, 8))
    protocol = replace(CENTER, resize=None, crop=8, mean=(), std=(), held_out=5)
    kept, held_out = parted(range(20), 5)
    assert len(held_out) == 5
    expected = np.mean([np.asarray(data.load(i)) for i in kept], axis=0).transpose(2, 0, 1) / 255
    assert pixel_mean(data, protocol).numpy() == pytest.approx(expected, abs=1e-6)
    subtract = normalisation(protocol, data)
    assert subtract(torch.ones(3, 8, 8)).numpy() == pytest.approx(1 - expected, abs=1e-6)


def test_a_mean_that_can_not_be_had() -> None:
    protocol = replace(CENTER, resize=None, crop=8, mean=(), std=())
    with pytest.raises(UsageError, match="no training pictures"):
        normalisation(protocol, None)
    with pytest.raises(UsageError, match="differ in size"):
        normalisation(protocol, split(3, (8, 8), (9, 8)))
    with pytest.raises(UsageError, match="for pictures of 8x8, found 9x8"):
        LessMean(torch.zeros(3, 8, 8))(torch.zeros(3, 9, 8))


def test_batches_of_one_size_are_one_tensor_and_others_are_sorted_by_size() -> None:
    cropped = Viewed(split(3, (50, 60), (80, 50)), range(3), CENTER, NORMALISE)
    batch, labels_B = joined([cropped[i] for i in range(3)])
    assert isinstance(batch, torch.Tensor)
    assert batch.shape == (3, 1, 3, 32, 32)
    assert labels_B.tolist() == [0, 1, 2]
    whole = replace(CENTER, views=Views.MULTI_SCALE, crop=None, scales=(10, 20), mirrored=True)
    ragged, _ = joined(
        [Viewed(split(3, (50, 60), (80, 50)), range(3), whole, NORMALISE)[i] for i in range(3)]
    )
    assert isinstance(ragged, list)
    groups = {tuple(images.shape): owners.tolist() for images, owners in by_size(ragged)}
    assert groups == {
        (4, 3, 12, 10): [0, 0, 2, 2],
        (4, 3, 24, 20): [0, 0, 2, 2],
        (2, 3, 10, 16): [1, 1],
        (2, 3, 20, 32): [1, 1],
    }
