"""What is found in a network's dataflow, against what the papers say of the network."""

import re

import pytest

from resbench.architectures.auditing.anatomy import anatomy_of
from resbench.architectures.auditing.dataflow import graph_of
from resbench.architectures.auditing.words import row
from resbench.architectures.description import Architecture
from resbench.architectures.layers import IMAGE, Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.catalog import gather

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


def test_depth_is_the_number_in_the_name() -> None:
    # He et al. 2015 count convolutions and the linear layer, without projections; Huang et al. 2017 all.
    for name, architecture in CATALOGUED.items():
        printed = re.search(r"(?:resnet|resnext|plain|vgg|densenet)(\d+)", name)
        assert printed is not None
        assert anatomy_of(layers_of(architecture)).depth == int(printed[1]), name


def test_parameters_are_the_catalogued() -> None:
    for architecture in CATALOGUED.values():
        assert architecture.costs is not None
        assert anatomy_of(layers_of(architecture)).parameters == architecture.costs.parameters


@pytest.mark.parametrize(
    ("name", "units"),
    [
        # He et al. 2015, Table 1 and section 4.2: 6n + 2.
        ("resnet18", [2, 2, 2, 2]),
        ("resnet50", [3, 4, 6, 3]),
        ("resnet152_v1", [3, 8, 36, 3]),
        ("cifar_resnet56", [9, 9, 9]),
        ("cifar_resnet110_exclusive_gating", [18, 18, 18]),
        # He et al. 2016: 164 = 9 * 18 + 2.
        ("cifar_resnet164_preact", [18, 18, 18]),
        # Simonyan and Zisserman 2015, Table 1: 13 convolutions, the first of them the stem.
        ("vgg16", [1, 2, 3, 3, 3]),
    ],
)
def test_units_of_each_stage(name: str, units: list[int]) -> None:
    stages = [unit.stage for unit in anatomy_of(layers_of(CATALOGUED[name])).units]
    assert [stages.count(stage) for stage in sorted(set(stages))] == units


@pytest.mark.parametrize(
    ("name", "branch", "after"),
    [
        # He et al. 2016, Figure 4 (a) to (e), of a unit that is not the first.
        ("cifar_resnet110", "conv-BN-ReLU-conv-BN", "ReLU"),
        ("cifar_resnet110_bn_after_add", "conv-BN-ReLU-conv", "BN-ReLU"),
        ("cifar_resnet110_relu_before_add", "conv-BN-ReLU-conv-BN-ReLU", "nothing"),
        ("cifar_resnet110_relu_only_preact", "ReLU-conv-BN-ReLU-conv-BN", "nothing"),
        ("cifar_resnet110_preact", "BN-ReLU-conv-BN-ReLU-conv", "nothing"),
    ],
)
def test_the_order_is_that_of_figure_4(name: str, branch: str, after: str) -> None:
    anatomy = anatomy_of(layers_of(CATALOGUED[name]))
    unit = next(unit for unit in anatomy.units if unit.name == "layer2.3")
    assert (row(unit.branch), row(unit.after), unit.shortcut) == (branch, after, ())
    assert anatomy.preactivated == name.endswith("preact")


def test_pre_activation_has_its_last_activation_and_activates_before_the_first_split() -> None:
    # He et al. 2016, appendix: an extra activation after the last addition; the first unit's before its split.
    anatomy = anatomy_of(layers_of(CATALOGUED["cifar_resnet164_preact"]))
    assert row(anatomy.stem) == "conv-BN-ReLU"
    assert row(anatomy.last) == "BN-ReLU"
    assert row(anatomy.units[0].branch) == "conv-BN-ReLU-conv-BN-ReLU-conv"
    projected = anatomy.units[18]
    assert (row(projected.before), row(projected.shortcut or ())) == ("BN-ReLU", "conv")


def test_a_gate_stands_on_its_sides() -> None:
    # He et al. 2016, Figure 2 (c) and (d): g = sigmoid(1x1 convolution of the unit's input).
    for name, on_branch in (("exclusive_gating", True), ("shortcut_only_gating", False)):
        anatomy = anatomy_of(layers_of(CATALOGUED[f"cifar_resnet110_{name}"]))
        unit = anatomy.units[5]
        assert unit.shortcut is not None
        (gate,) = (token.gate for token in unit.shortcut if token.gate)
        assert gate.complement
        assert gate.origin == unit.split
        assert row(gate.tokens) == "conv-sigmoid"
        assert any(token.gate for token in unit.branch) == on_branch


def test_all_catalogued_networks_are_different_graphs() -> None:
    graphs = {graph_of(layers_of(architecture)).content for architecture in CATALOGUED.values()}
    assert len(graphs) == len(CATALOGUED)


@pytest.mark.parametrize("name", ["cifar_resnet20_b", "cifar_resnet110_exclusive_gating"])
def test_names_and_the_order_of_independent_layers_leave_no_trace(name: str) -> None:
    layers = layers_of(CATALOGUED[name])
    assert graph_of(_renamed(_as_late_as_possible(layers))).content == graph_of(layers).content


def _renamed(layers: list[Layer]) -> list[Layer]:
    return [layer._replace(name=f"x{number}") for number, layer in enumerate(layers)]


def _as_late_as_possible(layers: tuple[Layer, ...]) -> list[Layer]:
    """Return the layers in another order in which each still stands behind those that it reads: depth-first, last first."""
    order: list[int] = []

    def visit(position: int) -> None:
        stack = [(position, False)]
        while stack:
            at, ready = stack.pop()
            if at == IMAGE or at in order:
                continue
            if ready:
                order.append(at)
            else:
                stack.append((at, True))
                stack.extend((source, False) for source in layers[at].sources)

    visit(len(layers) - 1)
    places = {position: number for number, position in enumerate(order)} | {IMAGE: IMAGE}
    assert order != sorted(order)
    return [
        layers[position]._replace(sources=tuple(places[source] for source in layers[position].sources))
        for position in order
    ]


def test_the_number_of_classes_leaves_no_trace() -> None:
    network = CATALOGUED["resnet18"]
    assert graph_of(layers_of(network, classes=7)).content == graph_of(layers_of(network)).content


@pytest.mark.parametrize(
    "change",
    [
        {"stride_on_1x1": "yes"},
        {"shortcut": "A"},
        {"shortcut": "C"},
        {"order": "bn_after_add"},
        {"groups": "2"},
        {"block_bias": "yes", "block": "basic"},
        {"shortcut_scale": "0.5"},
        {"shortcut_dropout": "0.5"},
        {"width": "128"},
        {"depth": "101"},
    ],
)
def test_each_choice_leaves_a_trace(change: dict[str, str]) -> None:
    told = ",".join(f"{name}={value}" for name, value in change.items())
    changed = layers_of(find_architecture(f"resnet50({told})"))
    assert graph_of(changed).content != graph_of(layers_of(CATALOGUED["resnet50"])).content


def chain(*layers: Layer) -> list[Layer]:
    return [layer._replace(sources=(position - 1,)) for position, layer in enumerate(layers)]


def test_what_does_nothing_leaves_no_trace() -> None:
    shape = (8, 4, 4)
    relu = Layer("relu", Kind.RELU, shape, shape)
    single = Layer("pool", Kind.MAX_POOL, shape, shape)
    adaptive = Layer("pool", Kind.AVERAGE_POOL, shape, shape, adaptive=True)
    flatten = Layer("flatten", Kind.FLATTEN, shape, (128,))
    assert graph_of(chain(relu, relu, single, adaptive, flatten)).content == graph_of(chain(relu)).content


def test_a_pool_of_single_pixels_before_the_zeros_is_option_a() -> None:
    pooled = chain(
        Layer("pool", Kind.AVERAGE_POOL, (8, 4, 4), (8, 2, 2), stride=2),
        Layer("pad", Kind.ZERO_PAD, (8, 2, 2), (16, 2, 2), after=8),
    )
    padded = chain(Layer("pad", Kind.ZERO_PAD, (8, 4, 4), (16, 2, 2), stride=2, after=8))
    assert graph_of(pooled).content == graph_of(padded).content
    averaged = [pooled[0]._replace(kernel=2), pooled[1]]
    assert graph_of(averaged).content != graph_of(padded).content


def test_a_pool_over_all_pixels_is_global() -> None:
    window = chain(Layer("pool", Kind.AVERAGE_POOL, (8, 7, 7), (8, 1, 1), kernel=7, stride=7))
    adaptive = chain(Layer("pool", Kind.AVERAGE_POOL, (8, 7, 7), (8, 1, 1), adaptive=True))
    assert graph_of(window).content == graph_of(adaptive).content


def test_a_lone_linear_layer_is_a_head() -> None:
    anatomy = anatomy_of(chain(Layer("fc", Kind.LINEAR, (784,), (10,), weights=7840, biases=10, macs=7840)))
    assert (anatomy.depth, row(anatomy.stem), row(anatomy.head), anatomy.units) == (
        1,
        "nothing",
        "linear",
        (),
    )


def test_nothing_is_found_in_nothing() -> None:
    assert graph_of(()).content == ()
