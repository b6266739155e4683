"""A training step's operations against the counts of another metric, its bytes against sums by hand."""

import pytest

from resbench.architectures.layers import IMAGE, Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.metrics.flops.backward import backward_count
from resbench.metrics.flops.conventions import count, find_convention
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.roofline.bytes import costs_of
from resbench.metrics.roofline.training import step_cost_of

CORE = find_convention("core-macs")


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d", "densenet121", "cifar_resnet20"])
def test_products_are_those_of_the_forward_and_the_backward_pass(name: str) -> None:
    layers = layers_of(find_architecture(name))
    ledger = ledger_of(layers)
    backward = backward_count(CORE, ledger)
    assert backward is not None
    assert step_cost_of(layers, "fp32", 3).macs == 3 * (count(CORE, ledger) + backward)


def test_bytes_of_a_block_by_hand(block: tuple[Layer, ...]) -> None:
    plane, kernel, weights = 4 * 8 * 4 * 4, 4 * 8 * 8 * 9, 2 * 8 * 8 * 9 + 2 * 8
    forward = (
        2 * (kernel + 2 * plane)  # two convolutions
        + (4 * 4 * 8 + 2 * plane)  # batch norm, with four numbers a channel
        + 2 * (2 * plane)  # ReLU, twice
        + 3 * plane  # an addition
    )
    backward = (
        (2 * plane + kernel)  # the stem's gradient of its weights, from its output's and from the picture
        + (3 * plane + 2 * kernel)  # the other convolution writes that of its input, too
        + (3 * plane + 2 * 4 * 4 * 8)  # batch norm
        + 2 * (3 * plane)  # ReLU: the gradient, what it kept, the gradient of its input
    )
    found = step_cost_of(block)
    assert found.moved == forward + backward + 5 * 4 * weights
    assert sum(cost.moved for cost in costs_of(block)) == forward


def test_the_optimiser_is_the_same_for_any_batch_and_the_rest_grows_with_it(block: tuple[Layer, ...]) -> None:
    one, two, four = (step_cost_of(block, "bf16", batch) for batch in (1, 2, 4))
    assert four.moved - two.moved == 2 * (two.moved - one.moved)
    assert four.flops - two.flops == 2 * (two.flops - one.flops)
    assert four.macs == 4 * one.macs


def test_what_has_no_weights_before_it_gets_no_gradient() -> None:
    plane = (3, 4, 4)
    pooled = Layer("pool", Kind.MAX_POOL, plane, (3, 2, 2), (IMAGE,), kernel=2, stride=2)
    (forward,) = costs_of((pooled,))
    assert step_cost_of((pooled,)) == (0, forward.flops, forward.moved)
