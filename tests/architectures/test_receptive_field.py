"""Receptive fields against published ones, and against what a change of the picture really reaches."""

from math import inf, isnan

import pytest
import torch
from torch import Tensor, nn

from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.outline import outline
from resbench.architectures.plan import Kind
from resbench.architectures.receptive_field import UNKNOWN, WHOLE, Field, fields_of
from resbench.models.build import build
from resbench.models.observing import observe

PICTURE = (3, 64, 64)


def by_section(name: str) -> dict[str, Field]:
    architecture = find_architecture(name)
    layers = layers_of(architecture)
    fields = fields_of(layers, architecture.input_CHW)
    return {node.name: fields[node.layers[-1]] for node in outline(layers)}


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        # Each 3x3 adds twice the stride so far: 7, 11, + 3 x 8, + 8 + 3 x 16, + 16 + 5 x 32, + 32 + 2 x 64.
        ("resnet50", [11, 35, 91, 267, 427]),
        # With the stride on the first 1x1 every 3x3 runs at the stage's own: Araujo et al. 2019, Table 1, has 483.
        ("resnet50_v1", [11, 35, 99, 291, 483]),
        ("resnet101_v1", [11, 35, 99, 835, 1027]),
        # Araujo et al. 2019, Table 1: 212 before the linear layers.
        ("vgg16", [6, 16, 44, 100, 212]),
    ],
)
def test_stages_have_the_published_fields(name: str, sides: list[int]) -> None:
    found = by_section(name)
    assert [field.side for section, field in found.items() if section != "head"] == sides
    assert found["head"] == WHOLE
    jumps = [field.jump for section, field in found.items() if section != "head"]
    assert jumps == ([2, 4, 8, 16, 32] if name == "vgg16" else [4, 4, 8, 16, 32])


def test_a_cifar_network_of_n_units_a_stage_has_the_field_of_the_formula() -> None:
    """3, + 2 x 2n in stage 1, + 2 + 4 (2n - 1) in stage 2, + 4 + 8 (2n - 1) in stage 3."""
    for depth in (8, 20, 110):
        n = (depth - 2) // 6
        expected = [3, 3 + 4 * n, 3 + 4 * n + 2 + 4 * (2 * n - 1)]
        expected.append(expected[-1] + 4 + 8 * (2 * n - 1))
        found = by_section(f"cifar_resnet20(depth={depth})")
        assert [field.side for field in list(found.values())[:-1]] == expected


def rows_seen(model: nn.Module, height: int, row: int, width: int = 8) -> tuple[int, int]:
    """Return the first and last row of the picture that reach a row of the output: a NaN in them makes it one.

    In double precision, for which no kernel mixes neighbours as Winograd's do.
    """
    reached = []
    model = model.double()
    with torch.no_grad():
        for poisoned in range(height):
            image_BCHW = torch.zeros(1, 3, height, width, dtype=torch.float64)
            image_BCHW[0, :, poisoned] = float("nan")
            output: Tensor = model(image_BCHW)
            if output[0, :, row].isnan().any():
                reached.append(poisoned)
    return reached[0], reached[-1]


@pytest.mark.parametrize(
    "name",
    [
        "cifar_resnet20(depth=8)",
        "cifar_resnet20_c(depth=8)",
        "cifar_resnet164_preact(depth=11)",
        "cifar_resnet110_exclusive_gating(depth=8)",
        "resnet18",
        "densenet121(growth=4)",
    ],
)
def test_a_field_holds_just_the_rows_that_reach_the_output(name: str) -> None:
    architecture = find_architecture(name)
    layers = layers_of(architecture, PICTURE)
    network = build(architecture).eval()
    stem_and_first = [step for step in network.steps if isinstance(step, str)]
    last = "denseblock1" if "densenet" in name else stem_and_first[stem_and_first.index("layer1") + 1]
    if "densenet" in name:
        features: nn.Module = network.get_submodule("features")
        modules = list(features.children())[:5]
    else:
        modules = [network.get_submodule(step) for step in stem_and_first[: stem_and_first.index(last) + 1]]
    node = next(node for node in outline(layers) if node.name == last)
    field = fields_of(layers, PICTURE)[node.layers[-1]]
    height = 2 * int(field.side) + 16
    row = height // int(field.jump) // 2
    shift = row * int(field.jump)
    assert rows_seen(nn.Sequential(*modules), height, row) == (field.first + shift, field.last + shift)


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(3, 2, 3, stride=2, padding=1),
        nn.Conv2d(3, 2, 3, dilation=3, padding=2),
        nn.Sequential(nn.Conv2d(3, 2, 5, stride=3), nn.AvgPool2d(2), nn.Conv2d(2, 2, 3, padding=1)),
        nn.Sequential(nn.Conv2d(3, 2, 3, stride=2), nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1)),
        nn.Sequential(
            nn.Conv2d(3, 2, 2, stride=2), nn.ConvTranspose2d(2, 2, 2, stride=2), nn.Conv2d(2, 1, 3)
        ),
        nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.AdaptiveAvgPool2d(12)),
    ],
)
def test_an_observed_network_sees_what_its_field_says(module: nn.Module) -> None:
    seen = observe(module.eval(), (3, 48, 48))
    field = fields_of(seen.layers, (3, 48, 48))[-1]
    sides = []
    for row in range(seen.output_shape[1] // 3, 2 * seen.output_shape[1] // 3):
        first, last = rows_seen(module, 48, row, width=48)
        sides.append(last - first + 1)
        assert field.first - 1e-9 <= first - row * field.jump
        assert last - row * field.jump <= field.last + 1e-9
    regular = not any(
        (layer.stride > 1 and layer.outputs > layer.inputs) or layer.adaptive for layer in seen.layers
    )
    # Rows after a transposed convolution or an uneven pool differ in how many they see.
    assert set(sides) == {field.side} if regular else max(sides) <= field.side <= max(sides) + 4


def test_what_windows_do_not_tell_is_unknown_until_all_is_seen() -> None:
    size = (2, 8, 8)
    layers = (
        Layer("conv", Kind.CONVOLUTION, (3, 8, 8), size, sources=(-1,), kernel=3, padding=1),
        Layer("odd", Kind.UNKNOWN, size, size, sources=(0,)),
        Layer("relu", Kind.RELU, size, size, sources=(1,)),
        Layer("tokens", Kind.NORM, (64, 2), (64, 2), sources=(0,)),
        Layer("bias", Kind.ELEMENTWISE, size, size),
        Layer("add", Kind.ADD, size, size, sources=(0, 4)),
        Layer("pool", Kind.AVERAGE_POOL, size, (2, 1, 1), sources=(2,), adaptive=True),
        Layer("gate", Kind.MULTIPLY, size, size, sources=(0, 6)),
        Layer("fc", Kind.LINEAR, size, (10,), sources=(0,), macs=1280),
    )
    fields = dict(zip((layer.name for layer in layers), fields_of(layers, (3, 8, 8)), strict=True))
    assert fields["conv"] == Field(-1, 1, 1)
    assert all(isnan(fields[name].side) for name in ("odd", "relu", "tokens"))
    assert fields["bias"].side == -inf
    assert fields["add"] == fields["conv"]
    assert fields["pool"] == fields["gate"] == fields["fc"] == WHOLE
    assert not UNKNOWN.is_known
