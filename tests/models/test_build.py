"""Built networks against torchvision, bit for bit, and against the closed form, layer by layer."""

from collections import defaultdict
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from resbench.architectures.description import Architecture
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.errors import UsageError
from resbench.models.build import build

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")
DEEP = {name for name in CATALOGUED if "1001" in name or "1202" in name}
"""Too slow to build again and again."""
every_network = pytest.mark.parametrize("name", CATALOGUED)


def on_meta(name: str, classes: int | None = None) -> nn.Module:
    with torch.device("meta"):
        return build(CATALOGUED[name], classes=classes)


def with_random_statistics(model: nn.Module) -> nn.Module:
    """Batch norm's initial 1, 0, 0, 1 would hide a mix-up of them."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)
    return model


SHARED = [name for name in CATALOGUED if hasattr(torchvision.models, name)]


def test_torchvision_has_these_networks_too() -> None:
    assert SHARED == [
        "densenet121",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "wide_resnet50_2",
        "wide_resnet101_2",
        "resnext50_32x4d",
        "resnext101_32x8d",
        "resnext101_64x4d",
        "vgg16",
        "vgg19",
    ]


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", SHARED)
def test_outputs_and_gradients_equal_torchvisions_bit_for_bit(name: str, training: bool) -> None:
    torch.manual_seed(7)
    theirs: Any = with_random_statistics(getattr(torchvision.models, name)(num_classes=7))
    ours = build(CATALOGUED[name], classes=7)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    images_BCHW = torch.randn(2, 3, 65, 51)
    logits = []
    for model in (ours, theirs):
        model.train(training)
        torch.manual_seed(1)  # VGG's dropout
        logits.append(model(images_BCHW))
        logits[-1].square().mean().backward()
    assert torch.equal(*logits)
    for parameter_name, parameter in ours.named_parameters():
        other = theirs.get_parameter(parameter_name).grad
        assert parameter.grad is not None
        if (
            name == "densenet121"
        ):  # the gradients of what is concatenated many times are summed in another order
            torch.testing.assert_close(parameter.grad, other)
        else:
            assert torch.equal(parameter.grad, other), parameter_name
    for buffer_name, buffer in ours.named_buffers():
        assert torch.equal(buffer, theirs.get_buffer(buffer_name)), buffer_name


@every_network
def test_parameters_are_the_closed_forms_layer_by_layer(name: str) -> None:
    module = on_meta(name)
    by_layer: dict[str, int] = defaultdict(int)
    for parameter_name, parameter in module.named_parameters():
        by_layer[parameter_name.rpartition(".")[0]] += parameter.numel()
    expected = {layer.name: layer.parameters for layer in layers_of(CATALOGUED[name]) if layer.parameters}
    assert by_layer == expected
    costs = CATALOGUED[name].costs
    assert costs is not None
    assert sum(by_layer.values()) == costs.parameters


def seen_by_hooks(module: nn.Module, images: Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and output shape of every leaf module, in the order in which they ran."""
    seen: list[tuple[str, tuple[int, ...]]] = []

    def hook(name: str) -> Any:
        return lambda _module, _inputs, output: seen.append((name, tuple(output.shape[1:])))

    for name, child in module.named_modules():
        if not list(child.children()):
            child.register_forward_hook(hook(name))
    module.eval()(images)
    return seen


def expected_by_hooks(
    name: str, size: tuple[int, int, int], classes: int
) -> list[tuple[str, tuple[int, ...]]]:
    """Return the same from the closed form, whose additions, gates and functional steps are no modules."""
    layers = layers_of(CATALOGUED[name], size, classes)
    return [(layer.name, layer.output_CHW) for layer in layers if layer.module]


@every_network
def test_layers_run_in_the_closed_forms_order_with_its_shapes(name: str) -> None:
    architecture = CATALOGUED[name]
    seen = seen_by_hooks(on_meta(name), torch.empty(2, *architecture.input_CHW, device="meta"))
    expected = expected_by_hooks(name, architecture.input_CHW, architecture.classes)
    # The gate of a unit runs between its shortcut and its addition, the closed form's is written there, too.
    assert seen == expected


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(set(CATALOGUED) - DEEP)),
    height=st.integers(32, 90),
    width=st.integers(32, 90),
    classes=st.integers(1, 30),
)
def test_shapes_and_macs_hold_at_any_size(name: str, height: int, width: int, classes: int) -> None:
    size = (3, height, width)
    module = on_meta(name, classes).eval()
    images = torch.empty(1, *size, device="meta")
    with FlopCounterMode(display=False) as counter:
        assert seen_by_hooks(module, images) == expected_by_hooks(name, size, classes)
    macs = sum(layer.macs for layer in layers_of(CATALOGUED[name], size, classes))
    assert counter.get_total_flops() == 2 * macs


@every_network
def test_torchs_flop_counter_gives_twice_the_catalogued_macs(name: str) -> None:
    architecture = CATALOGUED[name]
    module = on_meta(name).eval()
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *architecture.input_CHW, device="meta"))
    assert architecture.costs is not None
    assert counter.get_total_flops() == 2 * architecture.costs.core_macs


@pytest.mark.parametrize("size", ["full", "odd"])
@every_network
def test_a_step_forward_and_backward_reaches_every_parameter(name: str, size: str) -> None:
    torch.manual_seed(0)
    architecture = CATALOGUED[name]
    batch, shape = (1, architecture.input_CHW) if size == "full" else (2, (3, 37, 33))
    # Untrained, the gradients of a plain network of 1202 layers, or of one with a projection on every unit, overflow float32.
    dtype = torch.float64 if name in DEEP else torch.float32
    model = build(architecture, classes=5).to(dtype)
    logits_BK = model(torch.randn(batch, *shape, dtype=dtype))
    assert logits_BK.shape == (batch, 5)
    logits_BK.square().mean().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        # A bias before batch norm in training mode is subtracted again: its gradient is rounding error, and may be 0.
        cancelled = ".conv" in parameter_name and parameter_name.endswith("bias")
        assert cancelled or parameter.grad.abs().sum() > 0, parameter_name


def test_weights_start_as_torchs_layers_start() -> None:
    torch.manual_seed(3)
    first = build(CATALOGUED["resnet18"]).get_parameter("conv1.weight")
    torch.manual_seed(3)
    assert torch.equal(first, nn.Conv2d(3, 64, 7, bias=False).weight)


@pytest.mark.parametrize("classes", [0, -3])
def test_a_network_needs_a_class(classes: int) -> None:
    with pytest.raises(UsageError, match=f"at least one class, found {classes}"):
        build(CATALOGUED["resnet18"], classes=classes)


def test_an_unknown_model_names_the_nearest() -> None:
    assert find_architecture("resnet34") is CATALOGUED["resnet34"]
    with pytest.raises(UsageError, match="unknown model 'ResNet_34': did you mean resnet34"):
        find_architecture("ResNet_34")
