import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from resbench.architectures.naming import find_architecture
from resbench.models.build import build
from resbench.models.calibration import MEAN_SHARE, PICTURES, calibrate, random_pictures

CHW = (3, 16, 16)


@given(batch=st.integers(1, 4), side=st.integers(2, 40), seed=st.integers(0, 2**31))
def test_pictures_have_variance_one_and_follow_from_their_seed(batch: int, side: int, seed: int) -> None:
    images_BCHW = random_pictures((batch, 3, side, side), seed)
    assert images_BCHW.shape == (batch, 3, side, side)
    assert torch.equal(images_BCHW, random_pictures((batch, 3, side, side), seed))
    torch.testing.assert_close(images_BCHW.var(dim=(1, 2, 3), correction=0), torch.ones(batch))


def test_pictures_differ_in_colour_and_coarse_shape() -> None:
    images_BCHW = random_pictures((64, 3, 32, 32), 0)
    # Of three parts of equal variance, one is constant over the picture; the mean of pure noise would vary by 1/1024.
    assert images_BCHW.mean(dim=(2, 3)).var() > 0.2


def test_batch_norm_gets_the_statistics_of_its_input() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
    calibrate(network, CHW, seed=3)
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    values_BCHW = network[0](random_pictures((PICTURES, *CHW), 3))
    mean_C = values_BCHW.mean(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_mean, MEAN_SHARE * mean_C)
    normalised_BCHW = network.eval()(random_pictures((PICTURES, *CHW), 3))
    torch.testing.assert_close(normalised_BCHW.square().mean(dim=(0, 2, 3)), torch.ones(5), rtol=1e-3, atol=0)


def test_a_scale_of_zero_no_longer_hides_its_branch() -> None:
    norm = nn.BatchNorm2d(3)
    nn.init.zeros_(norm.weight)
    calibrate(nn.Sequential(norm), CHW)
    assert torch.equal(norm.weight, torch.ones(3))


def test_a_head_of_zeros_no_longer_hides_the_network() -> None:
    """As torchvision's vision transformers have it: all pictures get the same logits."""
    torch.manual_seed(0)
    head = nn.Linear(8, 1000)
    nn.init.zeros_(head.weight)
    calibrate(nn.Sequential(nn.Conv2d(3, 8, 16), nn.BatchNorm2d(8), nn.Flatten(), head), CHW)
    assert head.weight.var().item() == pytest.approx(1 / 8, rel=0.1)


def test_without_normalisation_each_layer_is_scaled_to_one() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 10))
    calibrate(network, CHW, seed=5)
    values = random_pictures((PICTURES, *CHW), 5)
    for layer in network:
        values = layer(values)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.bias is not None
            bias = layer.bias.reshape(-1, *(1,) * (values.dim() - 2))
            assert (values - bias).square().mean().sqrt().item() == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("name", ["cifar_plain56", "cifar_resnet20"])
def test_a_deep_network_tells_pictures_apart(name: str) -> None:
    torch.manual_seed(0)
    network = build(find_architecture(name))
    calibrate(network, (3, 32, 32))
    with torch.inference_mode():
        logits_BK = network(random_pictures((2, 3, 32, 32), 1))
    range_ = logits_BK.max() - logits_BK.min()
    assert (logits_BK[0] - logits_BK[1]).abs().max() > 0.05 * range_


def test_as_it_is_initialised_it_does_not() -> None:
    torch.manual_seed(0)
    network = build(find_architecture("cifar_plain56")).eval()
    with torch.inference_mode():
        logits_BK = network(random_pictures((2, 3, 32, 32), 1))
    assert torch.allclose(logits_BK[0], logits_BK[1], rtol=0, atol=1e-6)


def test_it_leaves_evaluation_mode_and_no_hooks() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Dropout())
    calibrate(network, CHW)
    assert not any(part.training for part in network.modules())
    assert not any(part._forward_pre_hooks or part._forward_hooks for part in network.modules())
