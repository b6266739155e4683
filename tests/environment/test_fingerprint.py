"""A fingerprint tells one network from another, and is the same wherever it is taken."""

import torch
from torch import nn

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.environment.fingerprint import fingerprint, layout
from resbench.models.build import build


def test_a_known_network() -> None:
    architecture = find_architecture("resnet18")
    with torch.device("meta"):
        module = build(architecture)
    found = fingerprint(module, layers_of(architecture))
    # torchvision, ResNet18_Weights: num_params 11689512, _ops 1.814
    assert (found["parameters"], found["core MACs"]) == ("11689512", "1814073344")
    assert found["layout"] == layout(build(architecture))


def test_the_layout_is_names_and_shapes() -> None:
    same, other = nn.Sequential(nn.Linear(3, 4)), nn.Sequential(nn.Linear(3, 4))
    assert layout(same) == layout(other)
    assert layout(nn.Sequential(nn.Linear(4, 3))) != layout(same)
    assert layout(nn.Linear(3, 4)) != layout(same)
    assert layout(nn.Sequential(nn.Linear(3, 4, bias=False))) != layout(same)


def test_a_buffer_is_part_of_it() -> None:
    tracked, untracked = nn.BatchNorm2d(3), nn.BatchNorm2d(3, track_running_stats=False)
    assert layout(tracked) != layout(untracked)


def test_the_order_does_not_count() -> None:
    one, other = nn.Module(), nn.Module()
    for name in ("a", "b"):
        one.add_module(name, nn.Linear(1, 1))
    for name in ("b", "a"):
        other.add_module(name, nn.Linear(1, 1))
    assert layout(one) == layout(other)
