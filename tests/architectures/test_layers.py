"""The closed form against published figures; `tests/models/test_build.py` holds it against the modules."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture, Shortcut
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
        ("cifar_resnet1202", "19.4M"),
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
        ("resnext50_32x4d", 25_028_904, 4.23),
        ("resnext101_32x8d", 88_791_336, 16.414),
        ("resnext101_64x4d", 83_455_272, 15.46),
        ("wide_resnet50_2", 68_883_240, 11.398),
        ("wide_resnet101_2", 126_886_696, 22.753),
    ],
)
def test_the_imagenet_networks_cost_what_torchvision_says(name: str, parameters: int, gmacs: float) -> None:
    costs = CATALOGUED[name].costs
    assert costs.parameters == parameters
    assert round(costs.core_macs / 1e9, 3) == gmacs


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        # He et al. 2015, Table 1, FLOPs (multiply-adds): strides on the first 1x1, option A in 18 and 34.
        ("resnet18_a", "1.8"),
        ("resnet34_a", "3.6"),
        ("plain18", "1.8"),
        ("plain34", "3.6"),
        ("resnet101_v1", "7.6"),
        ("resnet152_v1", "11.3"),
    ],
)
def test_the_papers_flops_are_our_core_macs_rounded(name: str, printed: str) -> None:
    assert f"{CATALOGUED[name].costs.core_macs / 1e9:.1f}" == printed


def test_the_papers_flops_of_resnet50_are_cut_off_not_rounded() -> None:
    # Table 1 prints 3.8 where the count is 3.858.
    assert int(CATALOGUED["resnet50_v1"].costs.core_macs / 1e8) / 10 == 3.8


def test_each_option_adds_its_projections() -> None:
    """Option B has a projection where the size changes, C on every block; each is a 1x1 convolution and batch norm."""
    for depth in (20, 32, 44, 56, 110, 1202):
        a, b, c = (CATALOGUED[f"cifar_resnet{depth}{option}"].costs.parameters for option in ("", "_b", "_c"))
        per_stage = (depth - 2) // 6
        assert b - a == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64) == 2_752
        inside = [width * width + 2 * width for width in (16, 32, 64)]
        assert c - b == per_stage * inside[0] + (per_stage - 1) * (inside[1] + inside[2])


def test_where_the_stride_sits_moves_operations_and_no_parameters() -> None:
    """The first 1x1 of stages 2 to 4 runs at half the size where it has the stride: a quarter of its work is left."""
    for depth in (50, 101, 152):
        ours, paper = CATALOGUED[f"resnet{depth}"], CATALOGUED[f"resnet{depth}_v1"]
        assert ours.costs.parameters == paper.costs.parameters
        strided = [
            layer
            for layer in layers_of(ours)
            if layer.name in ("layer2.0.conv1", "layer3.0.conv1", "layer4.0.conv1")
        ]
        assert ours.costs.core_macs - paper.costs.core_macs == sum(layer.macs for layer in strided) * 3 // 4


@pytest.mark.parametrize("depth", [18, 34])
def test_the_biased_variant_adds_one_number_a_channel_of_each_3x3_convolution(depth: int) -> None:
    plain, biased = CATALOGUED[f"resnet{depth}"], CATALOGUED[f"resnet{depth}_biased"]
    added = sum(2 * stage.blocks * stage.width for stage in plain.stages)
    assert biased.costs.parameters - plain.costs.parameters == added
    assert biased.costs.core_macs == plain.costs.core_macs


def test_option_a_and_plain_cost_the_same() -> None:
    for depth in (20, 32, 44, 56, 110, 1202):
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
        found = re.search(r"(?:resnet|resnext|plain)(\d+)", name)
        assert found is not None
        weighted = [
            layer
            for layer in layers_of(architecture)
            if layer.kind in (Kind.CONVOLUTION, Kind.LINEAR) and "downsample" not in layer.name
        ]
        assert len(weighted) == int(found[1]), name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", ((128, 3, 2, 1), (128, 3, 1, 1))),
        ("resnet50", ((128, 1, 1, 1), (128, 3, 2, 1), (512, 1, 1, 1))),
        ("resnet50_v1", ((128, 1, 2, 1), (128, 3, 1, 1), (512, 1, 1, 1))),
        ("wide_resnet50_2", ((256, 1, 1, 1), (256, 3, 2, 1), (512, 1, 1, 1))),
        # Xie et al. 2017, Table 1, conv3: 1x1 256, 3x3 256 in 32 groups, 1x1 512.
        ("resnext50_32x4d", ((256, 1, 1, 1), (256, 3, 2, 32), (512, 1, 1, 1))),
    ],
)
def test_the_convolutions_of_a_block_that_halves_the_size(
    name: str, expected: tuple[tuple[int, int, int, int], ...]
) -> None:
    assert convolutions(CATALOGUED[name], 128, 2) == expected


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
        Shortcut.PROJECTION_EVERYWHERE: {Kind.CONVOLUTION, Kind.BATCH_NORM},
        Shortcut.ZERO_PAD: {Kind.ZERO_PAD},
        Shortcut.NONE: set(),
    }
    for architecture in CATALOGUED.values():
        found = {layer.kind for layer in layers_of(architecture) if "downsample" in layer.name}
        assert found == kinds[architecture.shortcut]
