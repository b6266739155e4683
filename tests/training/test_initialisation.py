"""With one seed, arms start alike wherever a layer has one shape in both: that is what pairs them."""

import itertools

import pytest
import torch

from resbench.architectures.naming import find_architecture
from resbench.models.build import build
from resbench.training.initialisation import initialise
from resbench.training.seeding import stream

RECIPE = "kaiming_normal_fan_in"
ARMS = ("cifar_plain20", "cifar_resnet20", "cifar_resnet32", "cifar_resnet20_b", "cifar_resnet110_1layer")


def started(model: str, seed: int, recipe: str = RECIPE) -> dict[str, torch.Tensor]:
    """Return the weights that a run starts with, of its convolutions and its head."""
    with stream(seed, "initialisation"):
        module = build(find_architecture(model), classes=10)
        initialise(module, recipe)
    return {name: found for name, found in module.state_dict().items() if found.dim() > 1}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(ARMS, 2)))
def test_layers_of_one_name_and_shape_start_alike(one: str, other: str) -> None:
    ours, theirs = started(one, 3), started(other, 3)
    common = [name for name in ours if name in theirs and ours[name].shape == theirs[name].shape]
    assert {"conv1.weight", "fc.weight", "layer3.1.conv1.weight"} <= set(common)
    assert all(torch.equal(ours[name], theirs[name]) for name in common)


def test_layers_of_one_shape_and_seeds_differ() -> None:
    ours, other = started("cifar_resnet20", 3), started("cifar_resnet20", 4)
    assert not any(torch.equal(ours[name], other[name]) for name in ours)
    same = [found for name, found in ours.items() if name.startswith("layer1") and found.shape[1] == 16]
    assert not any(torch.equal(one, two) for one, two in itertools.combinations(same, 2))


def test_a_gate_keeps_the_bias_that_its_network_has() -> None:
    with stream(0, "initialisation"):
        module = build(find_architecture("cifar_resnet110_exclusive_gating"), classes=10)
        initialise(module, RECIPE)
    biases = [found for name, found in module.state_dict().items() if name.endswith("gate.bias")]
    assert biases
    assert all((bias == -6).all() for bias in biases)


def test_what_comes_after_does_not_depend_on_it() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    module = torch.nn.Conv2d(3, 4, 1)
    torch.manual_seed(5)
    initialise(module, RECIPE)
    assert torch.equal(torch.rand(3), expected)
