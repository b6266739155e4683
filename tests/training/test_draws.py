"""What is drawn for the pictures of an epoch, against torchvision's own draws."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import chisquare, ks_2samp, kstest
from torchvision.transforms import v2

from resbench.specs import Pictures
from resbench.training.draws import Draws, draw
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020

VOC, CIFAR = VOC_ZJ2020.pictures, HE2015_CIFAR.pictures
COUNT = 4_000
ENOUGH = 1e-4
"""The draws are seeded: a p-value below this would be a fault, and stay one."""


def drawn(pictures: Pictures, **changes: object) -> Draws:
    return draw(replace(pictures, **changes), COUNT, seed=3, epoch=2)  # type: ignore[arg-type]


def test_each_crop_of_a_padded_picture_is_as_likely() -> None:
    draws = drawn(CIFAR)
    places = [draws.crop(sample, 40, 40, 32)[:2] for sample in range(COUNT)]
    counts = torch.zeros(9, 9)
    for top, left in places:
        counts[top, left] += 1
    assert chisquare(counts.flatten().numpy()).pvalue > ENOUGH


def test_half_are_mirrored_or_none() -> None:
    assert abs(drawn(CIFAR).flip_N.float().mean().item() - 0.5) < 0.03
    assert not drawn(CIFAR, flip=False).flip_N.any()


def test_jitter_is_drawn_as_torchvision_draws_it() -> None:
    draws = drawn(VOC, color_jitter=0.3)
    assert draws.order_N4 is not None
    assert draws.factors_N4 is not None
    theirs = v2.ColorJitter(0.3, 0.3, 0.3, 0.3)
    torch.manual_seed(0)
    made = [theirs.make_params([]) for _ in range(COUNT)]
    for part, name in enumerate(("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor")):
        found = draws.factors_N4[:, part].numpy()
        assert ks_2samp(found, [float(params[name]) for params in made]).pvalue > ENOUGH
    orders = (draws.order_N4 * torch.tensor([64, 16, 4, 1])).sum(dim=1)
    _, counts = orders.unique(return_counts=True)
    assert len(counts) == math.factorial(4)
    assert chisquare(counts.numpy()).pvalue > ENOUGH


def test_erased_boxes_are_drawn_as_torchvision_draws_them() -> None:
    draws = drawn(VOC, erase=1.0)
    assert draws.erased_N4 is not None
    theirs = v2.RandomErasing(p=1.0)
    torch.manual_seed(0)
    made = [theirs.make_params([torch.empty(3, 224, 224)]) for _ in range(COUNT)]
    for part, name in enumerate(("i", "j", "h", "w")):
        found = draws.erased_N4[:, part].double().numpy()
        assert ks_2samp(found, [params[name] for params in made]).pvalue > ENOUGH
    top, left, height, width = draws.erased_N4.T
    assert (top + height).max() <= 224
    assert (left + width).max() <= 224


def test_half_are_erased_at_p_half() -> None:
    erased_N4 = drawn(VOC).erased_N4
    assert erased_N4 is not None
    assert abs((erased_N4[:, 2] > 0).float().mean().item() - 0.5) < 0.03


@pytest.mark.parametrize(("height", "width"), [(300, 400), (30, 400), (400, 21)])
def test_random_parts_are_drawn_as_torchvision_draws_them(height: int, width: int) -> None:
    draws = drawn(VOC, random_resized=True)
    found = [draws.part(sample, height, width, VOC.random_ratio) for sample in range(COUNT)]
    theirs = v2.RandomResizedCrop(224, scale=VOC.random_scale, ratio=VOC.random_ratio)
    torch.manual_seed(0)
    made = [theirs.make_params([torch.empty(3, height, width)]) for _ in range(COUNT)]
    for part, name in enumerate(("top", "left", "height", "width")):
        theirs_N, ours_N = [params[name] for params in made], [box[part] for box in found]
        assert ks_2samp(ours_N, theirs_N, method="asymp").pvalue > ENOUGH


def test_the_shorter_side_is_drawn_evenly_with_both_ends() -> None:
    sides_N = drawn(VOC, scale_range=(256, 260)).side_N
    assert sides_N is not None
    sides, counts = sides_N.unique(return_counts=True)
    assert sides.tolist() == [256, 257, 258, 259, 260]
    assert chisquare(counts.numpy()).pvalue > ENOUGH


def test_places_are_uniform_and_independent_of_each_other_and_of_flips() -> None:
    draws = drawn(VOC)
    assert kstest(draws.row_N.numpy(), "uniform").pvalue > ENOUGH
    joint = torch.stack([draws.row_N, draws.column_N, draws.flip_N.double()]).corrcoef()
    assert (joint - torch.eye(3)).abs().max() < 0.07


def test_seed_and_epoch_decide_and_what_else_is_on_does_not() -> None:
    one, same = (draw(VOC, 50, seed=1, epoch=1) for _ in range(2))
    plain = draw(replace(VOC, color_jitter=0.0, erase=0.0), 50, seed=1, epoch=1)
    assert torch.equal(one.row_N, same.row_N)
    assert torch.equal(one.row_N, plain.row_N)
    assert torch.equal(one.flip_N, plain.flip_N)
    for seed, epoch in ((1, 2), (2, 1)):
        assert not torch.equal(draw(VOC, 50, seed=seed, epoch=epoch).row_N, one.row_N)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    draw(VOC, 5, seed=1, epoch=1)
    assert torch.equal(torch.get_rng_state(), before)
