"""The closed form against published figures; `tests/models/test_build.py` holds it against the modules."""

import re
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture
from resbench.architectures.forms import Order, Shortcut
from resbench.architectures.layers import IMAGE, Layer, check_input, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.architectures.residual import ResidualBody
from resbench.catalog import gather
from resbench.errors import UsageError

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


def parameters_of(name: str) -> int:
    costs = CATALOGUED[name].costs
    assert costs is not None
    return costs.parameters


def core_macs_of(name: str) -> int:
    costs = CATALOGUED[name].costs
    assert costs is not None
    return costs.core_macs


def body_of(name: str) -> ResidualBody:
    body = CATALOGUED[name].body
    assert isinstance(body, ResidualBody)
    return body


RESIDUAL = [name for name, found in CATALOGUED.items() if isinstance(found.body, ResidualBody)]


@pytest.mark.parametrize("architecture", CATALOGUED.values(), ids=CATALOGUED)
def test_the_closed_form_gives_the_catalogued_costs(architecture: Architecture) -> None:
    layers = layers_of(architecture)
    assert architecture.costs is not None
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
        # He et al. 2016, Table 4: 1.7M for 164 layers.
        ("cifar_resnet164", "1.7M"),
        ("cifar_resnet164_preact", "1.7M"),
    ],
)
def test_the_papers_parameter_counts_are_ours_rounded(name: str, printed: str) -> None:
    decimals = len(printed.partition(".")[2]) - 1
    assert f"{parameters_of(name) / 1e6:.{decimals}f}M" == printed


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
        # vgg.py and densenet.py there.
        ("vgg16", 138_357_544, 15.47),
        ("vgg19", 143_667_240, 19.632),
        ("densenet121", 7_978_856, 2.834),
    ],
)
def test_the_imagenet_networks_cost_what_torchvision_says(name: str, parameters: int, gmacs: float) -> None:
    assert parameters_of(name) == parameters
    assert round(core_macs_of(name) / 1e9, 3) == gmacs


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
        # Section 3.3: VGG-19 has 19.6 billion.
        ("vgg19", "19.6"),
    ],
)
def test_the_papers_flops_are_our_core_macs_rounded(name: str, printed: str) -> None:
    assert f"{core_macs_of(name) / 1e9:.1f}" == printed


@pytest.mark.parametrize(("name", "printed"), [("resnet50_v1", 3.8)])
def test_the_papers_flops_of_resnet50_are_cut_off_not_rounded(name: str, printed: float) -> None:
    # Table 1 prints 3.8 where the count is 3.858.
    assert int(core_macs_of(name) / 1e8) / 10 == printed


def test_the_papers_flops_of_vgg16_agree_with_its_convolutions_alone() -> None:
    # He et al. 2015 print 15.3 billion for VGG-16: 15.35 without its three linear layers, 15.47 with them. The 19.6 that
    # they print for VGG-19 is with them (19.63; 19.51 without): no one rule gives both.
    convolutions = sum(
        layer.macs for layer in layers_of(CATALOGUED["vgg16"]) if layer.kind is Kind.CONVOLUTION
    )
    assert int(convolutions / 1e8) / 10 == 15.3
    assert round(core_macs_of("vgg16") / 1e9, 2) == 15.47


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # Own counts that others agree with: kuangliu/pytorch-cifar's ResNet18; timm's resnet200, 64.67 M.
        ("cifar_wide_stem_resnet18", 11_173_962),
        ("resnet200", 64_673_832),
        # A from-scratch count with batch norm, of which He et al. 2016 print 10.2M (without it).
        ("cifar_resnet1001_preact", 10_327_706),
        # 83.177 and 169.926 MiB in the README of deep-learning-algorithm/ResNet.
        ("resnet34_voc_preact", 21_804_328),
        ("resnet101_voc_preact", 44_545_192),
    ],
)
def test_parameters_known_from_elsewhere(name: str, parameters: int) -> None:
    assert parameters_of(name) == parameters


def test_the_1001_layer_network_has_the_papers_parameters_without_batch_norm() -> None:
    # He et al. 2016, Table 4: 10.2M, which leaves out batch norm.
    layers = layers_of(CATALOGUED["cifar_resnet1001_preact"])
    without = sum(layer.parameters for layer in layers if layer.kind is not Kind.BATCH_NORM)
    assert f"{without / 1e6:.1f}M" == "10.2M"


def test_each_option_adds_its_projections() -> None:
    """Option B has a projection where the size changes, C on every block; each is a 1x1 convolution and batch norm."""
    for depth in (20, 32, 44, 56, 110, 1202):
        a, b, c = (parameters_of(f"cifar_resnet{depth}{option}") for option in ("", "_b", "_c"))
        per_stage = (depth - 2) // 6
        assert b - a == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64) == 2_752
        inside = [width * width + 2 * width for width in (16, 32, 64)]
        assert c - b == per_stage * inside[0] + (per_stage - 1) * (inside[1] + inside[2])


def test_where_the_stride_sits_moves_operations_and_no_parameters() -> None:
    """The first 1x1 of stages 2 to 4 runs at half the size where it has the stride: a quarter of its work is left."""
    for depth in (50, 101, 152):
        ours, paper = f"resnet{depth}", f"resnet{depth}_v1"
        assert parameters_of(ours) == parameters_of(paper)
        strided = [
            layer
            for layer in layers_of(CATALOGUED[ours])
            if layer.name in ("layer2.0.conv1", "layer3.0.conv1", "layer4.0.conv1")
        ]
        assert core_macs_of(ours) - core_macs_of(paper) == sum(layer.macs for layer in strided) * 3 // 4


@pytest.mark.parametrize("depth", [18, 34])
def test_the_biased_variant_adds_one_number_a_channel_of_each_3x3_convolution(depth: int) -> None:
    plain, biased = f"resnet{depth}", f"resnet{depth}_biased"
    added = sum(2 * stage.blocks * stage.width for stage in body_of(plain).stages)
    assert parameters_of(biased) - parameters_of(plain) == added
    assert core_macs_of(biased) == core_macs_of(plain)


def test_option_a_and_plain_cost_the_same() -> None:
    for depth in (20, 32, 44, 56, 110, 1202):
        assert CATALOGUED[f"cifar_resnet{depth}"].costs == CATALOGUED[f"cifar_plain{depth}"].costs
        kinds = {layer.kind for layer in layers_of(CATALOGUED[f"cifar_plain{depth}"])}
        assert not kinds & {Kind.ADD, Kind.ZERO_PAD}


def test_a_gate_costs_a_1x1_convolution_with_bias_on_every_unit() -> None:
    gates = 18 * (16 * 16 + 16) + (16 * 32 + 32) + 17 * (32 * 32 + 32) + (32 * 64 + 64) + 17 * (64 * 64 + 64)
    for gating in ("exclusive_gating", "shortcut_only_gating"):
        assert parameters_of(f"cifar_resnet110_{gating}") - parameters_of("cifar_resnet110") == gates


def test_the_order_of_bn_relu_and_addition_costs_no_convolution() -> None:
    for depth, option in ((110, ""), (164, ""), (1001, "")):
        orders = ("_bn_after_add", "_relu_before_add", "_relu_only_preact", "_preact")
        counts = {core_macs_of(f"cifar_resnet{depth}{order}") for order in (option, *orders)}
        assert len(counts) == 1


def test_resnet50_ends_in_2048_channels_of_7x7() -> None:
    # He et al. 2015, Table 1: conv5_x is 7x7 at the output.
    layers = {layer.name: layer for layer in layers_of(CATALOGUED["resnet50"])}
    assert layers["conv1"].output_CHW == (64, 112, 112)
    assert layers["avgpool"].input_CHW == (2048, 7, 7)
    assert layers["fc"].parameters == 2048 * 1000 + 1000
    assert layers["maxpool"].inputs == 64 * 112 * 112
    assert layers["maxpool"].outputs == 64 * 56 * 56


@pytest.mark.parametrize("name", RESIDUAL)
def test_depth_is_the_number_of_weighted_layers_outside_projections(name: str) -> None:
    # He et al. 2015 count convolutions and the linear layer, without the projections.
    found = re.search(r"(?:resnet|resnext|plain)(\d+)", name)
    assert found is not None
    weighted = [
        layer
        for layer in layers_of(CATALOGUED[name])
        if layer.kind in (Kind.CONVOLUTION, Kind.LINEAR)
        and "downsample" not in layer.name
        and not layer.name.endswith("gate")
    ]
    assert len(weighted) == int(found[1]) == body_of(name).depth


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
def test_the_convolutions_of_a_unit_that_halves_the_size(
    name: str, expected: tuple[tuple[int, int, int, int], ...]
) -> None:
    found = [layer for layer in layers_of(CATALOGUED[name]) if layer.name.startswith("layer2.0.conv")]
    assert tuple((one.output_CHW[0], one.kernel, one.stride, one.groups) for one in found) == expected


@given(name=st.sampled_from(sorted(CATALOGUED)), height=st.integers(32, 300), width=st.integers(32, 300))
def test_every_layer_takes_what_its_sources_give(name: str, height: int, width: int) -> None:
    architecture = CATALOGUED[name]
    layers = layers_of(architecture, (3, height, width))
    for position, layer in enumerate(layers):
        assert all(source < position for source in layer.sources)
        given_ = [(3, height, width) if at == IMAGE else layers[at].output_CHW for at in layer.sources]
        if layer.kind is Kind.CONCATENATE:
            assert layer.input_CHW == (sum(shape[0] for shape in given_), *given_[0][1:])
        elif layer.kind is Kind.LINEAR:
            assert layer.inputs == prod(given_[0])
        else:
            assert set(given_) == {layer.input_CHW}
    assert layers[0].input_CHW == (3, height, width)
    assert layers[-1].output_CHW == (architecture.classes,)


@pytest.mark.parametrize("name", CATALOGUED)
def test_everything_computed_is_used(name: str) -> None:
    layers = layers_of(CATALOGUED[name])
    read = {source for layer in layers for source in layer.sources}
    assert read == {IMAGE, *range(len(layers) - 1)}


def test_repeated_units_are_what_a_walk_of_each_would_give() -> None:
    """Units alike are copied; two networks that differ in one unit alone are walked apart there and nowhere else."""
    for name in ("resnet152", "cifar_resnet110_exclusive_gating", "cifar_resnet164_preact", "resnet34_c"):
        layers = layers_of(CATALOGUED[name])
        by_unit: dict[str, list[Layer]] = {}
        for layer in layers:
            by_unit.setdefault(".".join(layer.name.split(".")[:2]), []).append(layer)
        second, last = by_unit["layer3.1"], by_unit[max(by_unit, key=lambda key: _number(key, "layer3."))]
        shift = layers.index(last[0]) - layers.index(second[0])
        for one, other in zip(second, last, strict=True):
            assert other.name.rpartition(".")[2] == one.name.rpartition(".")[2]
            assert other.sources == tuple(at + shift for at in one.sources)
            assert other[1:4] == one[1:4]


def _number(key: str, prefix: str) -> int:
    return int(key.removeprefix(prefix)) if key.startswith(prefix) else -1


@pytest.mark.parametrize(("name", "smallest"), [("vgg16", 32), ("densenet121", 29), ("resnet50", 1)])
def test_a_picture_too_small_for_the_network_is_refused(name: str, smallest: int) -> None:
    assert layers_of(CATALOGUED[name], (3, smallest, smallest))
    if smallest > 1:
        with pytest.raises(UsageError, match=rf"input 3x{smallest - 1}x\d+ is too small for {name}"):
            layers_of(CATALOGUED[name], (3, smallest - 1, smallest - 1))


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


@pytest.mark.parametrize("name", RESIDUAL)
def test_the_shortcut_decides_what_a_resized_input_passes(name: str) -> None:
    body = body_of(name)
    kinds = {
        Shortcut.PROJECTION: {Kind.CONVOLUTION, Kind.BATCH_NORM},
        Shortcut.PROJECTION_EVERYWHERE: {Kind.CONVOLUTION, Kind.BATCH_NORM},
        Shortcut.ZERO_PAD: {Kind.ZERO_PAD},
        Shortcut.NONE: set(),
    }[body.shortcut]
    if body.order in (Order.FULL_PREACT, Order.BN_AFTER_ADD):
        kinds -= {Kind.BATCH_NORM}
    found = {layer.kind for layer in layers_of(CATALOGUED[name]) if "downsample" in layer.name}
    assert found == kinds


def test_an_alias_is_the_same_network() -> None:
    # He et al. 2016, section 3, call the 1x1-convolution shortcut option C.
    assert find_architecture("cifar_resnet110_conv1x1") is CATALOGUED["cifar_resnet110_c"]
