"""The ledger against sums over the layers themselves, and against gradients worked out by hand."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture
from resbench.architectures.layers import IMAGE, Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.catalog import gather
from resbench.metrics.flops.ledger import Category, Row, categories, ledger_of, rows_of
from resbench.metrics.flops.repeats import ledger_for

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")

SIZES = st.integers(32, 96)


@given(name=st.sampled_from(sorted(CATALOGUED)), height=SIZES, width=SIZES, classes=st.integers(1, 2000))
def test_sums_are_those_over_the_layers(name: str, height: int, width: int, classes: int) -> None:
    layers = layers_of(CATALOGUED[name], (3, height, width), classes)
    ledger = ledger_of(layers)
    for kind in Kind:
        mine = [layer for layer in layers if layer.kind is kind]
        rows = [row for row in ledger if row.kind is kind]
        assert sum(row.layers for row in rows) == len(mine)
        assert sum(row.macs for row in rows) == sum(layer.macs for layer in mine)
        assert sum(row.outputs for row in rows) == sum(prod(layer.output_CHW) for layer in mine)
        assert sum(row.inputs for row in rows) == sum(prod(layer.input_CHW) for layer in mine)
        assert sum(row.weights + row.biases for row in rows) == sum(layer.parameters for layer in mine)
        assert sum(row.ungrouped_macs for row in rows) == sum(layer.macs * layer.groups for layer in mine)


@given(name=st.sampled_from(sorted(CATALOGUED)), height=SIZES, width=SIZES, classes=st.integers(1, 2000))
def test_one_of_each_run_of_units_gives_the_ledger_of_all(
    name: str, height: int, width: int, classes: int
) -> None:
    expected = ledger_of(layers_of(CATALOGUED[name], (3, height, width), classes))
    assert ledger_for(CATALOGUED[name], (3, height, width), classes) == expected


@pytest.mark.parametrize("name", ["resnet50", "cifar_resnet20", "densenet121", "vgg16"])
def test_rows_of_single_layers_add_up_to_the_ledger(name: str) -> None:
    layers = layers_of(CATALOGUED[name])
    rows = list(rows_of(layers))
    assert len(rows) == len(layers)
    for total in ledger_of(layers):
        mine = [row for row in rows if row[:4] == total[:4]]
        assert tuple(map(sum, zip(*(row[4:] for row in mine), strict=True))) == total[4:]


def test_a_layer_may_stand_for_several() -> None:
    layers = layers_of(CATALOGUED["cifar_resnet20"])
    twice = ledger_of(layers, [2] * len(layers))
    assert [row[4:] for row in twice] == [tuple(2 * one for one in row[4:]) for row in ledger_of(layers)]


def test_categories_of_resnet18_by_hand() -> None:
    # Pixels x channels out of each stage, four 3x3 convolutions each, and a projection in three of them.
    stages = [64 * 56**2, 128 * 28**2, 256 * 14**2, 512 * 7**2]
    stem, normalised = 64 * 112**2, 64 * 112**2 + sum(4 * stage for stage in stages) + sum(stages[1:])
    assert categories(ledger_for(CATALOGUED["resnet18"])) == {
        Category.CONVOLUTION: 1_814_073_344 - 512_000,
        Category.LINEAR: 512_000,
        Category.LINEAR_BIAS: 1000,
        Category.BATCH_NORM: normalised,
        Category.RELU: stem + sum(4 * stage for stage in stages),
        Category.MAX_POOL: stem,
        Category.AVERAGE_POOL: 512 * 7 * 7,
        Category.ADD: sum(2 * stage for stage in stages),
    }


def test_gates_padding_and_scales_have_categories() -> None:
    gated = categories(ledger_for(CATALOGUED["cifar_resnet110_exclusive_gating"]))
    elements = 18 * (16 * 32**2 + 32 * 16**2 + 64 * 8**2)
    assert gated[Category.SIGMOID] == 4 * elements  # sigmoid, 1 - g, and two products
    assert gated[Category.PADDING] == 32 * 16**2 + 64 * 8**2
    scaled = categories(ledger_for(CATALOGUED["cifar_resnet110_constant_scaling"]))
    assert scaled[Category.ELEMENTWISE] == 2 * elements


def convolution(name: str, *sources: int, groups: int = 1) -> Layer:
    return Layer(
        name, Kind.CONVOLUTION, (4, 2, 2), (4, 2, 2), sources=sources, weights=16, macs=64, groups=groups
    )


def only(*layers: Layer) -> Row:
    (row,) = ledger_of(layers)
    return row


def test_no_gradient_flows_to_the_picture_nor_to_what_was_made_of_it() -> None:
    assert only(convolution("first", IMAGE)).input_gradient_macs == 0
    scaled = Layer("scale", Kind.SCALE, (4, 2, 2), (4, 2, 2), sources=(IMAGE,))
    scale, first = ledger_of([scaled, convolution("first", 0)])
    assert scale.gradient_elements == 0
    assert first.input_gradient_macs == 0
    assert first.gradient_elements == 16
    # The second reads the first, and the third both the picture and the second.
    assert only(*(convolution(str(at), at - 1) for at in range(3))).input_gradient_macs == 2 * 64
    assert only(convolution("a", IMAGE), convolution("b", IMAGE, 0)).input_gradient_macs == 64


def test_a_source_that_is_not_there_passes_a_gradient_on() -> None:
    assert only(convolution("late", 17)).input_gradient_macs == 64


@pytest.mark.parametrize(
    ("sources", "gradients"), [((0, 1), 2), ((0, IMAGE), 1), ((0,), 2), ((IMAGE,), 0), ((), 0)]
)
def test_a_product_has_a_gradient_for_each_operand_that_needs_one(
    sources: tuple[int, ...], gradients: int
) -> None:
    product = Layer("attention", Kind.MATMUL, (4, 2), (4, 2), sources=sources, macs=10)
    ledger = ledger_of([convolution("a", IMAGE), convolution("b", IMAGE), product])
    assert ledger[-1].input_gradient_macs == 10 * gradients


def test_groups_are_kept() -> None:
    assert only(convolution("grouped", IMAGE, groups=4)).ungrouped_macs == 4 * 64


def test_layers_that_nothing_prices_are_no_category() -> None:
    unknown = Layer("mystery", Kind.UNKNOWN, (4,), (4,), operator="aten.mystery")
    assert categories(ledger_of([unknown])) == {}


def test_alias_and_choice_have_the_ledger_of_their_network() -> None:
    assert ledger_for(find_architecture("resnet50(stride_on_1x1=yes)")) == ledger_for(
        CATALOGUED["resnet50_v1"]
    )
