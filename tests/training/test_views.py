from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torchvision import transforms
from torchvision.transforms.v2 import functional as v2

from resbench.datasets.data import Split
from resbench.specs import Pictures
from resbench.training.draws import draw
from resbench.training.feeds import Feed, Kind, open_feed
from resbench.training.limits import spread
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.sources import Files, pixel_mean, scaling_of

SIZES = [(500, 375), (90, 300), (33, 20), (256, 256)]


def picture(index: int) -> Image.Image:
    width, height = SIZES[index % len(SIZES)]
    noise = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def small_picture(index: int) -> Image.Image:
    return picture(index).resize((32, 32))


SPLIT = Split(labels=(0, 1, 2, 3), load=picture)
SMALL = Split(labels=(0, 1, 2, 3), load=small_picture)
VOC, CIFAR = VOC_ZJ2020.pictures, HE2015_CIFAR.pictures


def fed(split: Split, pictures: Pictures, mean_CHW: Tensor | None = None, kind: Kind = "loader") -> Feed:
    positions = range(len(split))
    return open_feed(split, positions, pictures, mean_CHW=mean_CHW, device=torch.device("cpu"), kind=kind)


def trained(feed: Feed, samples: Sequence[int], *, seed: int = 0, epoch: int = 1) -> list[Tensor]:
    """Return the training views of some samples, one a batch."""
    batches = feed.training_batches([[sample] for sample in samples], seed=seed, epoch=epoch)
    return [images_BCHW[0].clone() for images_BCHW, _ in batches]


def test_ten_crop_is_the_protocols_pipeline_to_the_bit() -> None:
    """The pipeline as the protocol words it, with torchvision's first transforms on PIL pictures."""
    crops = transforms.TenCrop(224)
    standardise = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
    )
    batches = fed(SPLIT, VOC).test_batches([[index] for index in range(len(SPLIT))])
    for index, (images_BVCHW, labels_B) in enumerate(batches):
        expected = torch.stack([standardise(crop) for crop in crops(transforms.Resize(256)(picture(index)))])
        assert labels_B.tolist() == [index]
        assert torch.equal(images_BVCHW[0], expected)


def test_the_training_steps_stand_in_the_protocols_order() -> None:
    """Crop, flip, colour, to tensor, erase, normalise: applied in that order by torchvision, to the same draws."""
    pictures = replace(VOC, color_jitter=0.0)
    draws = draw(pictures, len(SPLIT), seed=0, epoch=1)
    assert draws.erased_N4 is not None
    for sample, found in enumerate(trained(fed(SPLIT, pictures), range(len(SPLIT)))):
        image = v2.resize(picture(sample), [256])
        image = v2.crop(image, *draws.crop(sample, image.height, image.width, 224))
        image = v2.hflip(image) if draws.flip_N[sample] else image
        view = v2.pil_to_tensor(image).float() / 255
        if draws.erased_N4[sample][2]:
            view = v2.erase(view, *draws.erased_N4[sample].tolist(), v=torch.zeros(()))
        assert torch.equal(found, v2.normalize(view, [0.5] * 3, [0.5] * 3))


def test_erased_pixels_are_zero_before_normalising() -> None:
    """Erasing before Normalize(0.5, 0.5) leaves -1, not 0, in about half of the samples."""
    white = Split(labels=(0,) * 200, load=lambda _index: Image.new("RGB", (256, 256), "white"))
    erased = [bool((view == -1).any()) for view in trained(fed(white, VOC), range(200))]
    assert 70 < sum(erased) < 130  # p = 0.5; outside this with probability 2e-5


def test_colour_jitter_has_the_protocols_strength() -> None:
    """Brightness between 0.9 and 1.1 of a grey that neither contrast, saturation nor hue can move."""
    grey = Split(labels=(0,) * 100, load=lambda _index: Image.new("RGB", (256, 256), (100, 100, 100)))
    levels = [float(view.max()) * 127.5 + 127.5 for view in trained(fed(grey, VOC), range(100))]
    assert 89 < min(levels) < 93
    assert 107 < max(levels) < 111


def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone() -> None:
    feed = fed(SPLIT, VOC)
    forward = trained(feed, (0, 1, 2, 3), seed=5, epoch=3)
    torch.manual_seed(99)
    backward = trained(feed, (3, 2, 1, 0), seed=5, epoch=3)[::-1]
    assert all(torch.equal(one, other) for one, other in zip(forward, backward, strict=True))
    for seed, epoch in ((5, 4), (6, 3)):
        assert not torch.equal(trained(feed, [0], seed=seed, epoch=epoch)[0], forward[0])


def test_drawing_a_view_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert trained(fed(SPLIT, VOC), [0])[0].shape == (3, 224, 224)
    assert torch.equal(torch.rand(3), expected)


def test_cifar_pads_with_zeros_after_the_mean_and_crops_and_flips_evenly() -> None:
    """Each of the 81 crops and two flips of a picture whose pixels say where they are."""
    mean_CHW = torch.full((3, 32, 32), 0.25)
    rows = np.arange(32, dtype=np.uint8)[:, None].repeat(32, axis=1)
    place_image = Image.fromarray(np.stack([rows, rows.T, np.full_like(rows, 200)], axis=2))
    same = Split(labels=(0,) * 2_000, load=lambda _index: place_image)
    seen: Counter[tuple[int, int, bool]] = Counter()
    for image_CHW in trained(fed(same, CIFAR, mean_CHW, kind="resident"), range(2_000)):
        inside = (image_CHW[2] != 0).numpy()
        assert np.allclose(image_CHW[2][torch.from_numpy(inside)], 200 / 255 - 0.25)
        at = tuple(int(found[0]) for found in np.nonzero(inside))
        row, column = ((image_CHW[:2, at[0], at[1]] + 0.25) * 255).round().int().tolist()
        following = (image_CHW[1][torch.from_numpy(inside)] + 0.25) * 255
        flipped = bool(following[0] > following[1])
        seen[(row - at[0], (31 - column - at[1]) if flipped else column - at[1], flipped)] += 1
    shifts = {(row, column) for row, column, _ in seen}
    assert shifts == {(row, column) for row in range(-4, 5) for column in range(-4, 5)}
    assert 900 < sum(count for (_, _, flipped), count in seen.items() if flipped) < 1_100


@pytest.mark.parametrize("kind", ["resident", "loader"])
def test_cifar_tests_the_whole_picture_less_the_mean(kind: Kind) -> None:
    mean_CHW = torch.rand(3, 32, 32)
    ((images_BVCHW, _),) = fed(SMALL, CIFAR, mean_CHW, kind=kind).test_batches([[1]])
    assert torch.equal(images_BVCHW[0, 0], transforms.ToTensor()(small_picture(1)) - mean_CHW)


def test_pixel_mean_is_the_mean_of_each_pixel() -> None:
    stacked = np.stack([np.asarray(small_picture(index)) for index in range(4)]).astype(np.float64)
    expected = torch.from_numpy(stacked.mean(axis=0) / 255).permute(2, 0, 1).float()
    files = Files(split=SMALL, positions=(0, 1, 2, 3), scaling=scaling_of(CIFAR, training=True))
    assert torch.allclose(pixel_mean(files), expected, atol=1e-7)


@given(count=st.integers(1, 5_000), limit=st.integers(1, 6_000))
def test_a_limit_is_spread_over_the_whole_index(count: int, limit: int) -> None:
    positions = spread(count, limit)
    assert len(positions) == min(count, limit)
    gaps = np.diff([*positions, count])
    assert positions[0] == 0
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_a_picture_that_is_kept_is_read_once() -> None:
    reads: Counter[int] = Counter()

    def load(index: int) -> Image.Image:
        reads[index] += 1
        return small_picture(index)

    feed = fed(Split(labels=(0, 1, 2, 3), load=load), CIFAR, torch.zeros(3, 32, 32), kind="resident")
    for _ in range(3):
        for index, (images_BVCHW, _labels) in enumerate(feed.test_batches([[0], [1], [2], [3]])):
            assert torch.equal(images_BVCHW[0, 0], transforms.ToTensor()(small_picture(index)))
    assert reads == {0: 1, 1: 1, 2: 1, 3: 1}
