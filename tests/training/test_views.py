from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from resbench.datasets.data import Split
from resbench.specs import Pictures
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.seeding import stream
from resbench.training.views import (
    EvaluationView,
    Resized,
    TrainingView,
    pixel_mean,
    spread,
    training_transform,
)

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


def resized(split: Split, pictures: Pictures) -> Resized:
    return Resized(split, list(range(len(split))), pictures)


def test_ten_crop_is_the_protocols_pipeline_to_the_bit() -> None:
    """The pipeline as the protocol words it, with torchvision's first transforms on PIL pictures."""
    crops = transforms.TenCrop(224)
    standardise = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
    )
    view = EvaluationView(resized(SPLIT, VOC), VOC, None)
    for index in range(len(SPLIT)):
        expected = torch.stack([standardise(crop) for crop in crops(transforms.Resize(256)(picture(index)))])
        images_VCHW, label = view[index]
        assert label == index
        assert torch.equal(images_VCHW, expected)


def test_the_training_steps_stand_in_the_protocols_order() -> None:
    steps = [type(step).__name__ for step in training_transform(VOC, None).transforms]
    assert steps == [
        "RandomCrop",
        "RandomHorizontalFlip",
        "ColorJitter",
        "Lambda",
        "RandomErasing",
        "Normalize",
    ]


def test_erased_pixels_are_zero_before_normalising() -> None:
    """Erasing before Normalize(0.5, 0.5) leaves -1, not 0, in about half of the samples."""
    white = Split(labels=(0,) * 200, load=lambda _index: Image.new("RGB", (256, 256), "white"))
    view = TrainingView(resized(white, VOC), VOC, None, seed=0, epoch=1)
    erased = [bool((view[index][0] == -1).any()) for index in range(200)]
    assert 70 < sum(erased) < 130  # p = 0.5; outside this with probability 2e-5


def test_colour_jitter_has_the_protocols_strength() -> None:
    """Brightness between 0.9 and 1.1 of a grey that neither contrast, saturation nor hue can move."""
    grey = Split(labels=(0,) * 100, load=lambda _index: Image.new("RGB", (256, 256), (100, 100, 100)))
    view = TrainingView(resized(grey, VOC), VOC, None, seed=0, epoch=1)
    levels = [float(view[index][0].max()) * 127.5 + 127.5 for index in range(100)]
    assert 89 < min(levels) < 93
    assert 107 < max(levels) < 111


def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone() -> None:
    view = TrainingView(resized(SPLIT, VOC), VOC, None, seed=5, epoch=3)
    forward = [view[index][0] for index in (0, 1, 2, 3)]
    torch.manual_seed(99)
    backward = [view[index][0] for index in (3, 2, 1, 0)][::-1]
    assert all(torch.equal(one, other) for one, other in zip(forward, backward, strict=True))
    for seed, epoch in ((5, 4), (6, 3)):
        other = TrainingView(resized(SPLIT, VOC), VOC, None, seed=seed, epoch=epoch)
        assert not torch.equal(other[0][0], forward[0])


def test_drawing_a_view_leaves_the_global_generator_alone() -> None:
    view = TrainingView(resized(SPLIT, VOC), VOC, None, seed=0, epoch=1)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert view[0][0].shape == (3, 224, 224)
    assert torch.equal(torch.rand(3), expected)


def test_cifar_pads_with_zeros_after_the_mean_and_crops_and_flips_evenly() -> None:
    """Each of the 81 crops and two flips of a picture whose pixels say where they are."""
    mean_CHW = torch.full((3, 32, 32), 0.25)
    place = torch.arange(32 * 32, dtype=torch.float32).reshape(32, 32).expand(3, 32, 32) / 255
    place_image = Image.new("RGB", (32, 32))
    view = training_transform(CIFAR, mean_CHW)
    rows = np.arange(32, dtype=np.uint8)[:, None].repeat(32, axis=1)
    place_image = Image.fromarray(np.stack([rows, rows.T, np.full_like(rows, 200)], axis=2))
    seen: Counter[tuple[int, int, bool]] = Counter()
    for draw in range(2_000):
        with stream(0, draw):
            image_CHW = view(place_image)
        inside = (image_CHW[2] != 0).numpy()
        assert np.allclose(image_CHW[2][torch.from_numpy(inside)], 200 / 255 - 0.25)
        at = tuple(int(found[0]) for found in np.nonzero(inside))
        row, column = ((image_CHW[:2, at[0], at[1]] + 0.25) * 255).round().int().tolist()
        following = (image_CHW[1][inside] + 0.25) * 255
        flipped = bool(following[0] > following[1])
        seen[(row - at[0], (31 - column - at[1]) if flipped else column - at[1], flipped)] += 1
    assert place.shape == mean_CHW.shape
    shifts = {(row, column) for row, column, _ in seen}
    assert shifts == {(row, column) for row in range(-4, 5) for column in range(-4, 5)}
    assert 900 < sum(count for (_, _, flipped), count in seen.items() if flipped) < 1_100


def test_cifar_tests_the_whole_picture_less_the_mean() -> None:
    mean_CHW = torch.rand(3, 32, 32)
    images_VCHW, _ = EvaluationView(resized(SMALL, CIFAR), CIFAR, mean_CHW)[1]
    assert torch.equal(images_VCHW[0], transforms.ToTensor()(small_picture(1)) - mean_CHW)


def test_pixel_mean_is_the_mean_of_each_pixel() -> None:
    stacked = np.stack([np.asarray(small_picture(index)) for index in range(4)]).astype(np.float64)
    expected = torch.from_numpy(stacked.mean(axis=0) / 255).permute(2, 0, 1).float()
    assert torch.allclose(pixel_mean(resized(SMALL, CIFAR)), expected, atol=1e-7)


@given(count=st.integers(1, 5_000), limit=st.integers(1, 6_000))
def test_a_limit_is_spread_over_the_whole_index(count: int, limit: int) -> None:
    positions = spread(count, limit)
    assert len(positions) == min(count, limit)
    gaps = np.diff([*positions, count])
    assert positions[0] == 0
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_a_picture_is_read_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[int] = Counter()

    def load(index: int) -> Image.Image:
        reads[index] += 1
        return small_picture(index)

    monkeypatch.setattr("resbench.training.views.KEEP_B", 2 * 3 * 32 * 32)
    pictures = resized(Split(labels=(0, 1, 2, 3), load=load), CIFAR)
    for _ in range(3):
        for index in range(4):
            assert pictures.picture(index).tobytes() == small_picture(index).tobytes()
    assert reads == {0: 1, 1: 1, 2: 3, 3: 3}
