"""Residual units against their formulas, written out with PyTorch's functions in float64."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.cifar import cifar_body
from resbench.architectures.description import Architecture
from resbench.architectures.forms import Block, Order, Shortcut
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Gating
from resbench.architectures.residual import ResidualBody
from resbench.models.build import build
from resbench.models.units import ZeroPad


def units_of(body: ResidualBody) -> tuple[Any, Any]:
    """Return the second unit of stage 1, which keeps its size, and the first of stage 2, which changes it."""
    torch.manual_seed(0)
    architecture = replace(find_architecture("cifar_resnet20"), body=body, costs=None)
    network = randomised(build(architecture).double().eval())
    return network.get_submodule("layer1.1"), network.get_submodule("layer2.0")


def randomised(network: nn.Module) -> nn.Module:
    """Batch norm's initial 1, 0, 0, 1 would hide a mix-up of them."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)
    return network


def bn(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Batch norm in eval mode, as its definition has it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (x - norm.running_mean.view(-1, 1, 1)) * scale.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)


def conv(module: nn.Conv2d, x: Tensor) -> Tensor:
    kernel = module.kernel_size[0]
    return functional.conv2d(
        x, module.weight, module.bias, stride=module.stride, padding=kernel // 2, groups=module.groups
    )


def relu(x: Tensor) -> Tensor:
    return x.clamp(0)


def zero_padded(x: Tensor, channels: int) -> Tensor:
    out = torch.zeros(x.shape[0], channels, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2, dtype=x.dtype)
    out[:, : x.shape[1]] = x[:, :, ::2, ::2]
    return out


def images(channels: int) -> Tensor:
    return torch.randn(2, channels, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


# He et al. 2016, Figure 4, with s the shortcut.
FORMULAS: dict[Order, Callable[[Any, Tensor, Tensor], Tensor]] = {
    Order.ORIGINAL: lambda u, x, s: relu(bn(u.bn2, conv(u.conv2, relu(bn(u.bn1, conv(u.conv1, x))))) + s),
    Order.NO_OUTPUT_RELU: lambda u, x, s: bn(u.bn2, conv(u.conv2, relu(bn(u.bn1, conv(u.conv1, x))))) + s,
    Order.BN_AFTER_ADD: lambda u, x, s: relu(bn(u.bn2, conv(u.conv2, relu(bn(u.bn1, conv(u.conv1, x)))) + s)),
    Order.RELU_BEFORE_ADD: lambda u, x, s: (
        relu(bn(u.bn2, conv(u.conv2, relu(bn(u.bn1, conv(u.conv1, x)))))) + s
    ),
    Order.RELU_ONLY_PREACT: lambda u, x, s: (
        bn(u.bn2, conv(u.conv2, relu(bn(u.bn1, conv(u.conv1, relu(x)))))) + s
    ),
    Order.FULL_PREACT: lambda u, x, s: conv(u.conv2, relu(bn(u.bn2, conv(u.conv1, relu(bn(u.bn1, x)))))) + s,
    Order.SWAPPED_PREACT: lambda u, x, s: (
        conv(u.conv2, relu(bn(u.bn2, conv(u.conv1, relu(bn(u.bn1, x)))))) + s
    ),
}


@pytest.mark.parametrize("order", Order)
def test_a_unit_is_its_formula_in_every_order(order: Order) -> None:
    same, resized = units_of(replace(cifar_body(20), order=order))
    x = images(16)
    assert torch.allclose(same(x), FORMULAS[order](same, x, x), rtol=1e-12)
    expected = FORMULAS[order](resized, x, zero_padded(x, 32))
    assert torch.allclose(resized(x), expected, rtol=1e-12)


@pytest.mark.parametrize("order", Order)
def test_a_unit_leaves_its_input_as_it_was(order: Order) -> None:
    # Only what stands before the split, where nobody else reads the input, may overwrite it.
    same, resized = units_of(replace(cifar_body(20), order=order))
    x = images(16)
    for unit in (same, resized):
        before = x.clone()
        unit(x)
        assert torch.equal(x, before)


@pytest.mark.parametrize("order", [Order.ORIGINAL, Order.RELU_BEFORE_ADD, Order.SWAPPED_PREACT])
def test_a_projection_is_a_1x1_convolution_and_batch_norm_of_the_units_input(order: Order) -> None:
    _, unit = units_of(replace(cifar_body(20, shortcut=Shortcut.PROJECTION), order=order))
    x = images(16)
    projected = bn(unit.downsample[1], functional.conv2d(x, unit.downsample[0].weight, stride=2))
    assert torch.allclose(unit(x), FORMULAS[order](unit, x, projected), rtol=1e-12)


def test_with_full_preactivation_a_projection_reads_the_activated_input_and_has_no_batch_norm() -> None:
    # He et al. 2016, appendix: projections, too, are pre-activated.
    body = replace(cifar_body(20, shortcut=Shortcut.PROJECTION), order=Order.FULL_PREACT)
    _, unit = units_of(body)
    x = images(16)
    activated = relu(bn(unit.bn1, x))
    projected = functional.conv2d(activated, unit.downsample[0].weight, stride=2)
    branch = conv(unit.conv2, relu(bn(unit.bn2, conv(unit.conv1, activated))))
    assert torch.allclose(unit(x), branch + projected, rtol=1e-12)
    assert len(unit.downsample) == 1


def test_with_relu_only_preactivation_a_projection_reads_the_activated_input() -> None:
    body = replace(cifar_body(20, shortcut=Shortcut.PROJECTION), order=Order.RELU_ONLY_PREACT)
    _, unit = units_of(body)
    x = images(16)
    projected = bn(unit.downsample[1], functional.conv2d(relu(x), unit.downsample[0].weight, stride=2))
    assert torch.allclose(unit(x), FORMULAS[Order.RELU_ONLY_PREACT](unit, x, projected), rtol=1e-12)


def test_a_plain_unit_adds_nothing() -> None:
    same, resized = units_of(cifar_body(20, shortcut=Shortcut.NONE))
    x = images(16)
    for unit in (same, resized):
        branch = bn(unit.bn2, conv(unit.conv2, relu(bn(unit.bn1, conv(unit.conv1, x)))))
        assert torch.allclose(unit(x), relu(branch), rtol=1e-12)


@pytest.mark.parametrize(("on_1x1", "groups"), [(False, 1), (True, 1), (False, 2)])
def test_a_bottleneck_is_its_formula_wherever_its_stride_sits(on_1x1: bool, groups: int) -> None:
    body = replace(
        cifar_body(20, block=Block.BOTTLENECK), stride_on_1x1=on_1x1, groups=groups, group_width=64 // groups
    )
    _, unit = units_of(body)
    x = images(64)
    out = relu(bn(unit.bn1, functional.conv2d(x, unit.conv1.weight, stride=2 if on_1x1 else 1)))
    out = functional.conv2d(out, unit.conv2.weight, stride=1 if on_1x1 else 2, padding=1, groups=groups)
    out = bn(unit.bn3, functional.conv2d(relu(bn(unit.bn2, out)), unit.conv3.weight))
    assert torch.allclose(unit(x), relu(out + zero_padded(x, 128)), rtol=1e-12)


@given(
    height=st.integers(1, 9), width=st.integers(1, 9), appended=st.integers(0, 4), stride=st.integers(1, 3)
)
def test_option_a_keeps_each_strideth_pixel_and_appends_zero_channels(
    height: int, width: int, appended: int, stride: int
) -> None:
    images_BCHW = torch.arange(3.0 * height * width).reshape(1, 3, height, width) + 1
    module = ZeroPad(appended, stride)
    out = module(images_BCHW)
    assert out.shape == (1, 3 + appended, -(-height // stride), -(-width // stride))
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            assert torch.equal(out[:, :3, row, column], images_BCHW[:, :, stride * row, stride * column])
    assert not out[:, 3:].any()
    assert not list(module.parameters())


def gated(gating: Gating, bias: float) -> tuple[Any, Tensor, Tensor]:
    """Return a unit whose gate has no weights, its input, and its branch without the gate."""
    same, _ = units_of(replace(cifar_body(20), gating=gating, gate_bias=bias))
    nn.init.zeros_(same.gate.weight)
    x = images(16)
    return same, x, bn(same.bn2, conv(same.conv2, relu(bn(same.bn1, conv(same.conv1, x)))))


@settings(max_examples=20)
@given(bias=st.floats(-8, 8))
def test_a_gate_weighs_the_two_sides_by_the_sigmoid_of_its_bias(bias: float) -> None:
    # He et al. 2016, section 3.1: exclusive, g F + (1 - g) x; shortcut-only, F + (1 - g) x. At b = 0 it halves.
    g = 1 / (1 + torch.exp(-torch.tensor(bias, dtype=torch.float32).double()))  # weights start in float32
    unit, x, branch = gated(Gating.EXCLUSIVE, bias)
    assert torch.allclose(unit(x), relu(g * branch + (1 - g) * x), rtol=1e-9, atol=1e-12)
    unit, x, branch = gated(Gating.SHORTCUT_ONLY, bias)
    assert torch.allclose(unit(x), relu(branch + (1 - g) * x), rtol=1e-9, atol=1e-12)


def test_a_gate_at_zero_halves() -> None:
    unit, x, branch = gated(Gating.SHORTCUT_ONLY, 0.0)
    assert torch.allclose(unit(x), relu(branch + x / 2), rtol=1e-12)


def test_a_gates_weights_see_the_units_input() -> None:
    same, resized = units_of(replace(cifar_body(20), gating=Gating.SHORTCUT_ONLY, gate_bias=-1.0))
    x = images(16)
    for unit, shortcut, stride in ((same, x, 1), (resized, zero_padded(x, 32), 2)):
        g = torch.sigmoid(functional.conv2d(x, unit.gate.weight, unit.gate.bias, stride=stride))
        branch = bn(unit.bn2, conv(unit.conv2, relu(bn(unit.bn1, conv(unit.conv1, x)))))
        assert torch.allclose(unit(x), relu(branch + (1 - g) * shortcut), rtol=1e-12)


@settings(max_examples=20)
@given(branch_scale=st.floats(0.1, 3), shortcut_scale=st.floats(0, 3))
def test_constant_scaling_scales(branch_scale: float, shortcut_scale: float) -> None:
    same, _ = units_of(replace(cifar_body(20), branch_scale=branch_scale, shortcut_scale=shortcut_scale))
    x = images(16)
    branch = bn(same.bn2, conv(same.conv2, relu(bn(same.bn1, conv(same.conv1, x)))))
    assert torch.allclose(same(x), relu(branch_scale * branch + shortcut_scale * x), rtol=1e-9)


def test_a_dropout_shortcut_drops_half_in_training_and_nothing_in_eval() -> None:
    same, _ = units_of(replace(cifar_body(20), shortcut_dropout=0.5))
    x = images(16)
    branch = bn(same.bn2, conv(same.conv2, relu(bn(same.bn1, conv(same.conv1, x)))))
    assert torch.allclose(same(x), relu(branch + x), rtol=1e-12)
    same.train()
    same.get_submodule("bn2").eval()
    same.get_submodule("bn1").eval()
    torch.manual_seed(3)
    kept = functional.dropout(x, 0.5, training=True)
    torch.manual_seed(3)
    assert torch.allclose(same(x), relu(branch + kept), rtol=1e-12)
    assert 0.3 < float((kept == 0).double().mean()) < 0.7


def activations_before_and_after(architecture: Architecture) -> tuple[list[str], list[str]]:
    """Return the kinds of module from the stem to the first weight of unit 1, and from the last addition to the head."""
    names = [
        name
        for name, module in build(architecture).named_modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.ReLU | nn.Linear) and "downsample" not in name
    ]
    first, fc = names.index("layer1.0.conv1"), names.index("fc")
    return names[: first + 1], names[
        max(i for i, n in enumerate(names) if n.startswith("layer")) + 1 : fc + 1
    ]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("cifar_resnet110", ["conv1", "bn1", "relu", "layer1.0.conv1"], ["fc"]),
        (
            "cifar_resnet110_preact",
            ["conv1", "layer1.0.bn1", "layer1.0.relu", "layer1.0.conv1"],
            ["bn2", "relu2", "fc"],
        ),
        (
            "cifar_resnet110_relu_only_preact",
            ["conv1", "bn1", "layer1.0.relu", "layer1.0.conv1"],
            ["relu2", "fc"],
        ),
        (
            "cifar_resnet164_preact",
            ["conv1", "layer1.0.bn1", "layer1.0.relu", "layer1.0.conv1"],
            ["bn2", "relu2", "fc"],
        ),
        ("resnet200_preact", ["conv1", "bn1", "relu", "layer1.0.conv1"], ["bn2", "relu2", "fc"]),
        ("resnet18(order=relu_only_preact)", ["conv1", "bn1", "relu", "layer1.0.conv1"], ["relu2", "fc"]),
        (
            "resnet34_voc_preact",
            ["conv1", "bn1", "relu", "layer1.0.bn1", "layer1.0.relu", "layer1.0.conv1"],
            ["fc"],
        ),
    ],
)
def test_the_first_and_last_activation_stand_where_the_paper_has_them(
    name: str, before: list[str], after: list[str]
) -> None:
    # He et al. 2016, section 4: the first activation before the split of unit 1, an extra one after the last addition.
    assert activations_before_and_after(find_architecture(name)) == (before, after)
