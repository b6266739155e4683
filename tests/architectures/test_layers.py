"""The closed form against published figures; `tests/models/test_build.py` holds it against the modules."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture, Block, Shortcut
from resbench.architectures.layers import Kind, check_input, convolutions, layers_of
from resbench.catalog import gather
from resbench.errors import UsageError

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


@pytest.mark.parametrize("architecture", CATALOGUED.values(), ids=CATALOGUED)
def test_the_closed_form_gives_the_catalogued_costs(architecture: Architecture) -> None:
    layers = layers_of(architecture)
    assert sum(layer.parameters for layer in layers) == architecture.costs.parameters
    assert sum(layer.macs for layer in layers) == architecture.costs.core_macs


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        # He et al. 2015, Table 6.
        ("cifar_resnet20", "0.27M"),
        ("cifar_resnet32", "0.46M"),
        ("cifar_resnet44", "0.66M"),
        ("cifar_resnet56", "0.85M"),
        ("cifar_resnet110", "1.7M"),
    ],
)
def test_the_papers_parameter_counts_are_ours_rounded(name: str, printed: str) -> None:
    decimals = len(printed.partition(".")[2]) - 1
    assert f"{CATALOGUED[name].costs.parameters / 1e6:.{decimals}f}M" == printed


@pytest.mark.parametrize(
    ("name", "parameters", "gmacs"),
    [
        # torchvision 0.29.1, torchvision/models/resnet.py, weights meta: num_params and _ops.
        ("resnet18", 11_689_512, 1.814),
        ("resnet34", 21_797_672, 3.664),
        ("resnet50", 25_557_032, 4.089),
        ("resnet101", 44_549_160, 7.801),
        ("resnet152", 60_192_808, 11.514),
    ],
)
def test_the_imagenet_networks_cost_what_torchvision_says(name: str, parameters: int, gmacs: float) -> None:
    costs = CATALOGUED[name].costs
    assert costs.parameters == parameters
    assert round(costs.core_macs / 1e9, 3) == gmacs


@pytest.mark.parametrize("depth", [18, 34])
def test_the_biased_variant_adds_one_number_a_channel_of_each_3x3_convolution(depth: int) -> None:
    plain, biased = CATALOGUED[f"resnet{depth}"], CATALOGUED[f"resnet{depth}_biased"]
    added = sum(2 * stage.blocks * stage.width for stage in plain.stages)
    assert biased.costs.parameters - plain.costs.parameters == added
    assert biased.costs.core_macs == plain.costs.core_macs


def test_option_a_and_plain_cost_the_same() -> None:
    for depth in (20, 32, 44, 56):
        residual, plain = CATALOGUED[f"cifar_resnet{depth}"], CATALOGUED[f"cifar_plain{depth}"]
        assert (residual.costs.parameters, residual.costs.core_macs) == (
            plain.costs.parameters,
            plain.costs.core_macs,
        )
        kinds = {layer.kind for layer in layers_of(plain)}
        assert not kinds & {Kind.ADD, Kind.ZERO_PAD}


def test_resnet50_ends_in_2048_channels_of_7x7() -> None:
    # He et al. 2015, Table 1: conv5_x is 7x7 at the output.
    layers = {layer.name: layer for layer in layers_of(CATALOGUED["resnet50"])}
    assert layers["conv1"].output_CHW == (64, 112, 112)
    assert layers["avgpool"].input_CHW == (2048, 7, 7)
    assert layers["fc"].parameters == 2048 * 1000 + 1000
    assert layers["maxpool"].inputs == 64 * 112 * 112
    assert layers["maxpool"].outputs == 64 * 56 * 56


def test_depth_is_the_number_of_weighted_layers_outside_projections() -> None:
    # He et al. 2015 count convolutions and the linear layer, without the projections.
    for name, architecture in CATALOGUED.items():
        depth = int("".join(filter(str.isdigit, name)))
        weighted = [
            layer
            for layer in layers_of(architecture)
            if layer.kind in (Kind.CONVOLUTION, Kind.LINEAR) and "downsample" not in layer.name
        ]
        assert len(weighted) == depth, name


def test_a_bottleneck_has_its_stride_on_the_3x3() -> None:
    assert convolutions(Block.BOTTLENECK, 64, 2) == ((64, 1, 1), (64, 3, 2), (256, 1, 1))
    assert convolutions(Block.BASIC, 64, 2) == ((64, 3, 2), (64, 3, 1))


@given(name=st.sampled_from(sorted(CATALOGUED)), height=st.integers(1, 300), width=st.integers(1, 300))
def test_every_layer_takes_what_the_one_before_gives(name: str, height: int, width: int) -> None:
    architecture = CATALOGUED[name]
    layers = [
        layer
        for layer in layers_of(architecture, (3, height, width))
        if "downsample" not in layer.name  # the other branch
    ]
    for before, after in pairwise(layers):
        assert after.input_CHW == before.output_CHW
    assert layers[0].input_CHW == (3, height, width)
    assert layers[-1].output_CHW == (architecture.classes, 1, 1)


@pytest.mark.parametrize("shape", [(3, 0, 9), (1, 32, 32), (0, 0, 0), (3, 32, -1)])
def test_what_is_no_picture_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(
        UsageError, match=f"input {'x'.join(map(str, shape))} is not a picture: give 3 channels"
    ):
        check_input(shape)
    with pytest.raises(UsageError, match="is not a picture"):
        layers_of(CATALOGUED["resnet18"], shape)


@pytest.mark.parametrize("classes", [0, -1])
def test_a_network_without_classes_is_refused(classes: int) -> None:
    with pytest.raises(UsageError, match=f"at least one class, found {classes}"):
        layers_of(CATALOGUED["resnet18"], classes=classes)


def test_the_shortcut_decides_what_a_resized_input_passes() -> None:
    kinds = {
        Shortcut.PROJECTION: {Kind.CONVOLUTION, Kind.BATCH_NORM},
        Shortcut.ZERO_PAD: {Kind.ZERO_PAD},
        Shortcut.NONE: set(),
    }
    for architecture in CATALOGUED.values():
        found = {layer.kind for layer in layers_of(architecture) if "downsample" in layer.name}
        assert found == kinds[architecture.shortcut]
