"""Colour jitter against torchvision's on PIL pictures."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as views

from resbench.training import photometric
from resbench.training.sources import pixels_of

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8))
SMOOTH = NOISE.crop((0, 0, 6, 6)).resize((70, 90), Image.Resampling.BICUBIC)
GREY = Image.new("RGB", (70, 90), (77, 77, 77))


def levels(picture: Image.Image) -> torch.Tensor:
    return pixels_of(picture).float()[None]


@pytest.mark.parametrize("picture", [NOISE, SMOOTH, GREY], ids=["noise", "smooth", "grey"])
@pytest.mark.parametrize("factor", [0.3, 0.9, 1.0, 1.1, 1.7])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_levels_are_those_of_pil(name: str, factor: float, picture: Image.Image) -> None:
    expected = levels(getattr(views, f"adjust_{name}")(picture, factor))
    found = levels(picture)
    getattr(photometric, f"{name}_")(found, torch.tensor([factor]))
    assert (found - expected).abs().max() <= 1
    assert (found == expected).float().mean() > 0.9999


@pytest.mark.parametrize("picture", [NOISE, SMOOTH, GREY], ids=["noise", "smooth", "grey"])
@pytest.mark.parametrize("turns", [-0.5, -0.1, 0.0, 0.03, 0.1, 0.5])
def test_the_hue_is_that_of_pil_within_a_level_but_at_the_edges_of_its_steps(
    turns: float, picture: Image.Image
) -> None:
    expected = levels(views.adjust_hue(picture, turns))
    found = levels(picture)
    photometric.hue_(found, torch.tensor([turns]))
    apart = (found - expected).abs()
    assert (apart > 1).float().mean() < 0.005
    assert apart.max() <= 7


def test_a_batch_gives_each_picture_its_own_parts_in_its_own_order() -> None:
    pictures = torch.cat([levels(NOISE), levels(SMOOTH), levels(GREY), levels(NOISE)])
    order_B4 = torch.tensor([[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [3, 0, 1, 2]])
    factors_B4 = torch.tensor(
        [[1.1, 0.9, 1.2, 0.1], [0.8, 1.1, 0.9, -0.1], [1.3, 0.7, 1.0, 0.2], [0.9] * 3 + [0.0]]
    )
    alone = pictures.clone()
    photometric.jitter_(pictures, order_B4, factors_B4)
    names = ["brightness", "contrast", "saturation", "hue"]
    for row, order in enumerate(order_B4.tolist()):
        one = alone[row : row + 1]
        for part in order:
            getattr(photometric, f"{names[part]}_")(one, factors_B4[row : row + 1, part])
    assert torch.equal(pictures, alone)
