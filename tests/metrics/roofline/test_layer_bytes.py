from math import prod
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.catalog import gather
from resbench.errors import UsageError
from resbench.metrics.roofline.bytes import Cost, costs_of
from resbench.models.build import build
from resbench.models.observing import observe

RESNET50 = layers_of(find_architecture("resnet50"))


def of(name: str, precision: str = "fp32", batch_size: int = 1) -> Cost:
    return next(cost for cost in costs_of(RESNET50, precision, batch_size) if cost.name == name)


def test_first_convolution_of_resnet50() -> None:
    # 64 kernels of 3 x 7 x 7 on 112 x 112 places; a picture of 3 x 224 x 224 goes in.
    assert of("conv1") == Cost(
        "conv1",
        Kind.CONVOLUTION,
        flops=2 * 64 * 3 * 49 * 112 * 112,
        weights_B=4 * 64 * 3 * 49,
        read_B=4 * 3 * 224 * 224,
        written_B=4 * 64 * 112 * 112,
    )


def test_batch_norm_reads_statistics_beside_weight_and_bias() -> None:
    plane = 64 * 112 * 112
    assert of("bn1") == Cost("bn1", Kind.BATCH_NORM, 2 * plane, 4 * 4 * 64, 4 * plane, 4 * plane)


def test_relu_in_place_reads_and_writes_all_the_same() -> None:
    plane = 64 * 112 * 112
    cost = of("relu")
    assert (cost.read_B, cost.written_B, cost.weights_B) == (4 * plane, 4 * plane, 0)
    assert cost.intensity == 1 / 8


def test_residual_addition_reads_two_planes_and_writes_one() -> None:
    plane = 256 * 56 * 56
    cost = of("layer1.0.add")
    assert (cost.flops, cost.read_B, cost.written_B) == (plane, 2 * 4 * plane, 4 * plane)
    assert cost.intensity == pytest.approx(1 / 12)


def test_pool_compares_each_place_of_its_window() -> None:
    cost = of("maxpool")
    assert (cost.flops, cost.read_B) == (9 * 64 * 56 * 56, 4 * 64 * 112 * 112)


def test_linear_layer_is_nearly_all_weights() -> None:
    cost = of("fc")
    assert (cost.flops, cost.weights_B) == (2 * 2048 * 1000, 4 * 2049 * 1000)
    assert cost.intensity < 0.5


def test_concatenation_reads_what_it_writes() -> None:
    layers = layers_of(find_architecture("densenet121"))
    # 64 channels of the stem and 32 of the first layer, at 56 x 56.
    cost = next(cost for cost in costs_of(layers) if cost.kind is Kind.CONCATENATE)
    assert (cost.flops, cost.read_B, cost.written_B) == (0, 4 * 96 * 56 * 56, 4 * 96 * 56 * 56)


def test_products_are_twice_the_published_core() -> None:
    products = (Kind.CONVOLUTION, Kind.LINEAR)
    assert sum(cost.flops for cost in costs_of(RESNET50) if cost.kind in products) == 2 * 4_089_184_256


def test_gate_that_is_broadcast_counts_as_small_as_it_is() -> None:
    gate = Layer("gate", Kind.SIGMOID, (8, 1, 1), (8, 1, 1), (-1,))
    plane = Layer("plane", Kind.RELU, (8, 4, 4), (8, 4, 4), (-1,))
    scaled = Layer("scaled", Kind.MULTIPLY, (8, 4, 4), (8, 4, 4), (1, 0))
    assert costs_of((gate, plane, scaled))[2].read_B == 4 * (8 * 16 + 8)


def test_matrix_product_reads_both_operands() -> None:
    # 12 heads: (50 x 64) times (64 x 50).
    heads, rows, inner = 12, 50, 64
    product = Layer(
        "scores",
        Kind.MATMUL,
        (heads, rows, inner),
        (heads, rows, rows),
        (-1,),
        macs=heads * rows * inner * rows,
    )
    assert costs_of((product,))[0].read_B == 4 * 2 * heads * rows * inner


def test_shared_module_reads_its_weights_again() -> None:
    shared = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    first, second = costs_of(observe(nn.Sequential(shared, nn.ReLU(), shared), (4, 5, 5)).layers)[::2]
    assert first.weights_B == second.weights_B == 4 * 4 * 4 * 9


def test_unknown_operator_moves_bytes_and_has_no_price() -> None:
    (cost,) = costs_of((Layer("fft", Kind.UNKNOWN, (2, 3), (2, 3), (-1,)),))
    assert not cost.priced
    assert cost.moved == 4 * (6 + 6)


def test_precision_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown precision 'fp61': did you mean fp16"):
        costs_of(RESNET50, "fp61")


@given(batch_size=st.integers(1, 512), precision=st.sampled_from(("fp32", "tf32", "bf16", "fp16")))
def test_batch_multiplies_activations_and_precision_all_bytes(batch_size: int, precision: str) -> None:
    size = 2 if precision in ("bf16", "fp16") else 4
    for one, many in zip(costs_of(RESNET50), costs_of(RESNET50, precision, batch_size), strict=True):
        assert many.flops == batch_size * one.flops
        assert many.weights_B * 4 == one.weights_B * size
        assert many.read_B * 4 == one.read_B * size * batch_size
        assert many.written_B * 4 == one.written_B * size * batch_size


@pytest.mark.parametrize("name", gather("architectures", "ARCHITECTURES"))
def test_weights_are_all_that_a_checkpoint_holds(name: str) -> None:
    architecture = find_architecture(name)
    with torch.device("meta"):
        state = build(architecture).state_dict()
    held = sum(tensor.numel() for key, tensor in state.items() if not key.endswith("num_batches_tracked"))
    costs = costs_of(layers_of(architecture))
    assert sum(cost.weights_B for cost in costs) == 4 * held


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20", "densenet121", "resnext50_32x4d", "vgg16"])
def test_activations_are_those_that_the_modules_see(name: str) -> None:
    """Hooks on the modules as they run are the reference for reads and writes of all that is a module."""
    architecture = find_architecture(name)
    seen: list[tuple[int, int]] = []

    def hook(_module: nn.Module, inputs: Any, output: Any) -> None:
        seen.append((4 * prod(inputs[0].shape), 4 * prod(output.shape)))

    with torch.device("meta"):
        model = build(architecture).eval()
        for module in model.modules():
            if not list(module.children()) and not isinstance(module, nn.Flatten | nn.Dropout):
                module.register_forward_hook(hook)
        model(torch.empty(1, *architecture.input_CHW))
    layers = layers_of(architecture)
    ours = [
        (cost.read_B, cost.written_B)
        for layer, cost in zip(layers, costs_of(layers), strict=True)
        if layer.module and layer.kind is not Kind.DROPOUT
    ]
    assert ours == seen


def test_observed_network_costs_what_the_described_one_does() -> None:
    for name in ("resnet18", "cifar_resnet20", "cifar_resnet110_exclusive_gating"):
        architecture = find_architecture(name)
        with torch.device("meta"):
            observed = observe(build(architecture), architecture.input_CHW).layers
        assert costs_of(observed) == costs_of(layers_of(architecture))
