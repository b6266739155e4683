"""One batch by heart: a healthy network can, a broken one can't, and what is broken is named."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resbench.training.overfit import overfit, threshold_of
from resbench.training.recipes import HE2015_CIFAR

RECIPE = replace(HE2015_CIFAR, optimizer=replace(HE2015_CIFAR.optimizer, lr=0.05))


class Net(nn.Module):
    """Features and a head, which may be cut off from each other or from the loss."""

    def __init__(self, cut: str = "") -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()
        )
        self.head = nn.Linear(8 * 64, 5)
        self.cut = cut

    def forward(self, images_BCHW: Tensor) -> Tensor:
        features_BN = self.features(images_BCHW)
        if self.cut == "features":
            features_BN = torch.zeros_like(features_BN)
        logits_BK: Tensor = self.head(features_BN)
        return logits_BK.detach() if self.cut == "head" else logits_BK


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(10, 3, 8, 8, generator=generator), torch.arange(10) % 5


def model(cut: str = "") -> Net:
    torch.manual_seed(0)
    return Net(cut)


def test_a_healthy_network_learns_a_batch_by_heart() -> None:
    told: list[tuple[int, float]] = []

    def tell(done: int, loss: float, top1: float) -> bool:
        assert 0 <= top1 <= 1
        told.append((done, loss))
        return False

    found = overfit(model(), RECIPE, batch(), threshold=threshold_of(5), steps=200, tell=tell)
    assert found.learned
    assert found.last < 0.01 * math.log(5) == found.threshold
    assert found.steps < 200
    assert found.first == told[0][1] > 1
    assert told[-1] == (found.steps, found.last)
    assert found.stuck == ()


@pytest.mark.parametrize(
    ("cut", "stuck", "steps"),
    [
        ("head", {"features.0.weight", "features.0.bias", "features.1.weight", "features.1.bias", "head.weight", "head.bias"}, 0),
        ("features", {"features.0.weight", "features.0.bias", "features.1.weight", "features.1.bias", "head.weight"}, 30),
    ],
)  # fmt: skip
def test_a_network_that_is_cut_can_not_and_the_parts_are_named(cut: str, stuck: set[str], steps: int) -> None:
    found = overfit(model(cut), RECIPE, batch(), threshold=threshold_of(5), steps=30, tell=lambda *_: False)
    assert not found.learned
    assert set(found.stuck) == stuck
    assert found.steps == steps


def test_it_gives_up_when_it_is_told_and_when_the_loss_is_no_number() -> None:
    gave_up = overfit(model(), RECIPE, batch(), threshold=0.0, steps=100, tell=lambda done, *_: done >= 10)
    assert (gave_up.steps, gave_up.learned) == (10, False)
    wild = replace(RECIPE, optimizer=replace(RECIPE.optimizer, lr=1e30))
    broken = overfit(model(), wild, batch(), threshold=0.1, steps=100, tell=lambda *_: False)
    assert broken.steps < 100
    assert not math.isfinite(broken.last)
    assert not broken.learned
