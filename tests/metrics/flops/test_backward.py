"""The backward pass in closed form against torch's FlopCounterMode, which sees each operation of a real one."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resbench.architectures.description import Architecture
from resbench.architectures.forms import Block
from resbench.architectures.layers import IMAGE, Layer, layers_of
from resbench.architectures.plan import Kind
from resbench.architectures.residual import ResidualBody
from resbench.catalog import gather
from resbench.metrics.flops.backward import (
    RULES,
    backward_categories,
    backward_count,
    backward_terms,
    weight_gradient_macs,
)
from resbench.metrics.flops.conventions import CONVENTIONS, count, find_convention
from resbench.metrics.flops.ledger import Category, Ledger, ledger_of, rows_of
from resbench.metrics.flops.repeats import ledger_for
from resbench.models.build import build
from resbench.models.observing import observe
from resbench.models.outside import open_model

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")
CORE, FLOPS, MODE = (find_convention(name) for name in ("core-macs", "flops", "flop-counter-mode"))


def counted_by_torch(model: nn.Module, input_CHW: tuple[int, ...]) -> tuple[int, int]:
    """Return the FLOPs of a forward and of a backward pass."""
    with FlopCounterMode(display=False) as mode:
        output = model.eval()(torch.empty(1, *input_CHW, device="meta"))
        forward = mode.get_total_flops()
        output.sum().backward()
    return forward, mode.get_total_flops() - forward


def shallower(architecture: Architecture) -> Architecture:
    """Return a CIFAR form of a hundred layers or more at twenty or so: torch takes up to half a minute for it otherwise."""
    body = architecture.body
    if not isinstance(body, ResidualBody) or body.depth < 100 or len(body.stages) != 3:
        return architecture
    depth = 29 if body.block is Block.BOTTLENECK else 20
    return replace(architecture, body=body.resized(depth=depth))


@pytest.mark.parametrize("name", CATALOGUED)
def test_every_catalogued_network_as_torch_counts_it(name: str) -> None:
    architecture = shallower(CATALOGUED[name])
    # Of small pictures: layers are counted and not computed, whatever their size.
    side = {"cifar": 8, "imagenet": 32}.get(architecture.family, architecture.input_CHW[1])
    size = (3, side, side)
    with torch.device("meta"):
        model = build(architecture)
    ledger = ledger_for(architecture, size)
    assert (count(MODE, ledger), backward_count(MODE, ledger)) == counted_by_torch(model, size)


@pytest.mark.parametrize(
    "name",
    [
        "torchvision:mobilenet_v3_small",  # depthwise convolutions: in groups, and gates
        "torchvision:googlenet(transform_input=yes,init_weights=no)",  # arithmetic on the picture itself
        "torchvision:vit_b_16",  # attention
        "torchvision:swin_t",
        "torchvision:densenet121",
    ],
)
def test_networks_from_outside_as_torch_counts_them(name: str) -> None:
    with torch.device("meta"):
        opened = open_model(name)
    ledger = ledger_of(observe(opened.module, opened.input_CHW).layers)
    assert backward_count(MODE, ledger) == counted_by_torch(opened.module, opened.input_CHW)[1]


@pytest.mark.parametrize(
    ("name", "ratio"),
    # Forward and backward over forward, as FlopCounterMode gave it for torchvision's networks.
    [
        ("resnet18", 2.935),
        ("resnet34", 2.968),
        ("resnet50", 2.971),
        ("resnet101", 2.985),
        ("resnet152", 2.990),
    ],
)
def test_both_passes_take_three_forward_passes_less_the_gradient_to_the_picture(
    name: str, ratio: float
) -> None:
    ledger = ledger_for(CATALOGUED[name])
    forward, backward = count(CORE, ledger), backward_count(CORE, ledger)
    assert backward is not None
    assert round((forward + backward) / forward, 3) == ratio
    stem = 7 * 7 * 3 * 64 * 112**2
    assert backward == 2 * forward - stem


@pytest.mark.parametrize("name", CATALOGUED)
def test_flops_are_two_a_mac_and_grouped_convolutions_are_what_torch_counts_more(name: str) -> None:
    ledger = ledger_for(CATALOGUED[name])
    core, flops, torchs = (backward_count(convention, ledger) for convention in (CORE, FLOPS, MODE))
    assert core is not None
    assert torchs is not None
    assert flops == 2 * core
    grouped = [layer for layer in layers_of(CATALOGUED[name]) if layer.groups > 1]
    assert torchs - flops == 2 * sum(layer.macs * (layer.groups - 1) for layer in grouped)
    named = {term.label for term in backward_terms(MODE, ledger) or ()}
    assert any("grouped" in label for label in named) == bool(grouped)


def test_other_conventions_are_forward_only() -> None:
    ledger = ledger_for(CATALOGUED["cifar_resnet20"])
    for convention in CONVENTIONS:
        defined = convention.name in ("core-macs", "flops", "flop-counter-mode")
        assert (backward_terms(convention, ledger) is not None) == defined
        assert (backward_count(convention, ledger) is not None) == defined
        assert (convention.name in RULES) == defined


def test_layers_add_up() -> None:
    layers = layers_of(CATALOGUED["resnext50_32x4d"])
    for convention in (CORE, FLOPS, MODE):
        each = [backward_count(convention, (row,)) or 0 for row in rows_of(layers)]
        assert sum(each) == backward_count(convention, ledger_of(layers))


def test_categories_of_resnet18_by_hand() -> None:
    ledger = ledger_for(CATALOGUED["resnet18"])
    found = backward_categories(ledger)
    stages = [64 * 56**2, 128 * 28**2, 256 * 14**2, 512 * 7**2]
    stem = 64 * 112**2
    assert found == {
        Category.CONVOLUTION: 2 * (1_814_073_344 - 512_000) - 147 * stem,
        Category.LINEAR: 2 * 512_000,
        Category.LINEAR_BIAS: 1000,
        Category.BATCH_NORM: stem + sum(4 * stage for stage in stages) + sum(stages[1:]),
        Category.RELU: stem + sum(4 * stage for stage in stages),
        Category.MAX_POOL: stages[0],  # elements that come out: one gradient each
        Category.AVERAGE_POOL: 512,
        Category.ADD: sum(2 * stage for stage in stages),
    }


def products(*sources: int) -> Ledger:
    """Return a product of two activations behind two linear layers that read the picture."""
    first = Layer("q", Kind.LINEAR, (4,), (4,), sources=(IMAGE,), weights=16, macs=16)
    layers = [
        first,
        first._replace(name="k"),
        Layer("attention", Kind.MATMUL, (4, 4), (4, 4), sources=sources, macs=64),
    ]
    return tuple(row for row in ledger_of(layers) if row.kind is Kind.MATMUL)


def test_a_product_of_activations_costs_twice_and_has_no_weights() -> None:
    both = products(0, 1)
    assert backward_count(CORE, both) == 2 * 64
    assert weight_gradient_macs(both[0]) == 0
    assert backward_categories(both) == {Category.MATMUL: 2 * 64}
    assert backward_count(CORE, products(0, IMAGE)) == 64
