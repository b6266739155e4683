"""The sweep on quadratics, whose largest stable learning rate is known: 2 / L."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.training.lr_finder import (
    DIVERGED,
    SMOOTHING,
    Point,
    Sweep,
    find_learning_rates,
    rates_of,
    sweep,
    untouched,
)
from resbench.training.recipes import HE2015_CIFAR

RECIPE = replace(HE2015_CIFAR, optimizer=replace(HE2015_CIFAR.optimizer, momentum=0.0, weight_decay=0.0))


def ignore(_point: Point) -> None:
    pass


def noisy_quadratic(curvature: float) -> Sweep:
    """Gradient descent on L (w - x)^2 / 2 in 64 dimensions, x normal: noise keeps w off the least."""
    generator = torch.Generator().manual_seed(0)
    w_D = torch.full((64,), 30.0)

    def step(rate: float) -> float:
        nonlocal w_D
        away_D = w_D - torch.randn(64, generator=generator)
        w_D = w_D - rate * curvature * away_D
        return curvature * away_D.square().mean().item() / 2

    return sweep(step, rates_of(1e-4 / curvature, 100 / curvature, 400), ignore)


@pytest.mark.parametrize("curvature", [0.01, 1.0, 250.0])
def test_a_quadratic_diverges_above_two_over_its_curvature(curvature: float) -> None:
    """Below 2 / L the loss settles at its noise times 1 / (1 - lr L / 2): four times its least at 1.5 / L."""
    found = noisy_quadratic(curvature)
    assert found.diverged is not None
    assert 1.4 <= found.diverged * curvature <= 2.5
    assert found.steepest is not None
    assert found.steepest < found.lowest < 2 / curvature
    assert found.points[-1].rate == found.diverged
    assert len(found.points) < 400


def test_without_noise_no_rate_below_two_over_the_curvature_diverges() -> None:
    w = 5.0

    def step(rate: float) -> float:
        nonlocal w
        loss = 1.0 + w**2 / 2  # curvature 1
        w -= rate * w
        return loss

    found = sweep(step, rates_of(1e-3, 1.99, 100), ignore)
    assert found.diverged is None
    assert len(found.points) == 100


def test_the_running_mean_by_hand() -> None:
    losses = iter([2.0, 1.0, 3.0, *[2.0] * 7])
    points = sweep(lambda _rate: next(losses), rates_of(1e-3, 1.0, 10), ignore).points
    first, second = (1 - SMOOTHING) * 2, SMOOTHING * (1 - SMOOTHING) * 2 + (1 - SMOOTHING) * 1
    assert points[0].smoothed == pytest.approx(first / (1 - SMOOTHING)) == pytest.approx(2.0)
    assert points[1].smoothed == pytest.approx(second / (1 - SMOOTHING**2))


def test_the_steepest_descent_of_a_known_curve() -> None:
    """A loss that is a logistic curve of log10(rate), smoothed little by many steps, falls fastest in its middle."""

    def step(rate: float) -> float:
        return 3 - 2 / (1 + math.exp(-4 * (math.log10(rate) + 2)))

    found = sweep(step, rates_of(1e-5, 1.0, 2000), ignore)
    assert found.steepest == pytest.approx(1e-2, rel=0.1)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_sweep(broken: float) -> None:
    losses = iter([*[1.0] * 12, broken])
    rates = rates_of(1e-3, 1.0, 20)
    found = sweep(lambda _rate: next(losses), rates, ignore)
    assert found.diverged == rates[12]
    assert len(found.points) == 12
    first = sweep(lambda _rate: broken, rates, ignore)
    assert (first.points, first.diverged) == ((), rates[0])


def test_the_rates_rise_by_one_factor() -> None:
    rates = rates_of(1e-3, 1e3, 13)
    assert rates == pytest.approx([10 ** (index / 2 - 3) for index in range(13)])
    for first, last, steps in ((0.0, 1.0, 20), (1.0, 1.0, 20), (1.0, math.inf, 20), (1e-3, 1.0, 3)):
        with pytest.raises(UsageError):
            rates_of(first, last, steps)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3))


def weight_of(model: nn.Sequential) -> Tensor:
    first = model[0]
    assert isinstance(first, nn.Conv2d)
    return first.weight


def batches() -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    while True:
        labels_B = torch.randint(3, (12,), generator=generator)
        noise_BCHW = torch.randn(12, 3, 8, 8, generator=generator)
        yield noise_BCHW + labels_B[:, None, None, None], labels_B


def test_a_network_ends_as_it_was() -> None:
    model = network().eval()
    weight_of(model).grad = torch.ones_like(weight_of(model))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told: list[Point] = []
    found = find_learning_rates(model, RECIPE, batches(), rates_of(1e-4, 1e4, 60), told.append)
    assert found.diverged is not None
    assert tuple(told[: len(found.points)]) == found.points
    assert min(point.smoothed for point in found.points) < found.points[0].loss
    assert found.points[-1].smoothed > DIVERGED * min(point.smoothed for point in found.points) or len(
        told
    ) == len(found.points)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not model.training
    gradients = [parameter.grad for parameter in model.parameters()]
    assert gradients[0] is not None
    assert bool((gradients[0] == 1).all())
    assert gradients[1:] == [None] * 5


def fail(_weight: object) -> None:
    raise RuntimeError("stop")


def test_a_failure_inside_leaves_the_model_untouched_too() -> None:
    model = network()
    weight = weight_of(model).clone()
    with pytest.raises(RuntimeError, match="stop"), untouched(model), torch.no_grad():
        fail(weight_of(model).zero_())
    assert torch.equal(weight_of(model), weight)
