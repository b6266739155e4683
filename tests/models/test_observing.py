"""Observed networks against the closed form, layer by layer, and small modules against their formulas."""

import copy
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from resbench.architectures.description import Architecture
from resbench.architectures.layers import IMAGE, Layer, layers_of
from resbench.architectures.plan import Kind
from resbench.catalog import gather
from resbench.errors import ResbenchError, UsageError
from resbench.models.build import build
from resbench.models.observing import Observation, observe

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


class Does(nn.Module):
    """A module of some submodules and any forward."""

    def __init__(self, forward: Callable[..., Any], **inside: nn.Module | Tensor) -> None:
        super().__init__()
        self.does = forward
        for name, value in inside.items():
            setattr(self, name, nn.Parameter(value) if isinstance(value, Tensor) else value)

    def forward(self, x: Tensor) -> Any:
        return self.does(self, x)


def without_dropout(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers that run in evaluation."""
    now = {IMAGE: IMAGE}
    kept: list[Layer] = []
    for position, layer in enumerate(layers):
        if layer.kind is Kind.DROPOUT:
            now[position] = now[layer.sources[0]]
        else:
            now[position] = len(kept)
            kept.append(layer._replace(sources=tuple(now[source] for source in layer.sources)))
    return kept


def without_operators(observation: Observation) -> list[Layer]:
    return [layer._replace(operator="") for layer in observation.layers]


def kinds(observation: Observation) -> list[Kind]:
    return [layer.kind for layer in observation.layers]


def macs(observation: Observation) -> int:
    return sum(layer.macs for layer in observation.layers)


def held(observation: Observation) -> int:
    return sum(layer.parameters for layer in observation.layers)


# --- every catalogued network is what its closed form says


@pytest.mark.parametrize("name", CATALOGUED)
def test_what_runs_is_the_closed_form_layer_by_layer(name: str) -> None:
    architecture = CATALOGUED[name]
    with torch.device("meta"):
        model = build(architecture)
    seen = observe(model, architecture.input_CHW)
    assert without_operators(seen) == without_dropout(layers_of(architecture))
    assert all(layer.operator.startswith("aten.") for layer in seen.layers)
    assert seen.output_shape == (architecture.classes,)
    assert seen.notes == ()
    assert seen.parameters == held(seen)
    if architecture.costs:
        assert seen.parameters == architecture.costs.parameters
        assert macs(seen) == architecture.costs.core_macs


SAMPLE = [
    "resnet18_a",
    "resnet50",
    "resnext50_32x4d",
    "densenet121",
    "resnet34_voc_preact",
    "cifar_resnet20",
    "cifar_resnet110_exclusive_gating",
    "cifar_resnet110_constant_scaling",
    "cifar_resnet110_dropout_shortcut",
]


@settings(max_examples=20)
@given(
    name=st.sampled_from(SAMPLE),
    height=st.integers(33, 90),
    width=st.integers(33, 90),
    batch=st.integers(1, 3),
)
def test_it_is_so_at_any_size_and_batch(name: str, height: int, width: int, batch: int) -> None:
    with torch.device("meta"):
        model = build(CATALOGUED[name], classes=7)
    seen = observe(model, (3, height, width), batch=batch)
    expected = layers_of(CATALOGUED[name], (3, height, width), 7)
    assert without_operators(seen) == without_dropout(expected)


# --- torchvision's networks against PyTorch's own counter


@pytest.mark.parametrize(
    ("name", "unread"),
    [
        ("mobilenet_v3_small", 0),
        ("efficientnet_b0", 0),
        ("convnext_tiny", 0),
        ("vit_b_16", 0),
        ("densenet121", 0),
        # The two auxiliary classifiers run in training alone: (512 + 528) x 128 weights of their convolutions, batch norm,
        # 2048 x 1024 + 1024, and 1024 x 1000 + 1000 each.
        ("googlenet", 1040 * 128 + 2 * (2 * 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000)),
        ("shufflenet_v2_x1_0", 0),
        ("squeezenet1_0", 0),
        ("regnet_y_400mf", 0),
        ("swin_t", 0),
    ],
)
@pytest.mark.filterwarnings("ignore:The default weight initialization of GoogleNet")
def test_macs_are_half_of_what_torchs_flop_counter_sees(name: str, unread: int) -> None:
    model: nn.Module = getattr(torchvision.models, name)()
    seen = observe(model, (3, 224, 224))
    model.to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, 224, 224, device="meta"))
    assert 2 * macs(seen) == counter.get_total_flops()
    assert Kind.UNKNOWN not in kinds(seen)
    assert seen.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert seen.parameters - held(seen) == unread
    assert len(seen.notes) == bool(unread)


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "convnext_tiny", "vit_b_16"])
def test_shapes_are_those_of_a_run_on_numbers(name: str) -> None:
    """The shapes that are told without PyTorch's own rules for them."""
    kwargs = {"init_weights": False} if name == "googlenet" else {}
    model: nn.Module = getattr(torchvision.models, name)(**kwargs)

    def with_item(self: Any, x: Tensor) -> Tensor:
        x.sum().item()
        out: Tensor = self.inside(x)
        return out

    numbers = observe(
        Does(with_item, inside=model), (3, 64, 64) if name != "vit_b_16" else (3, 224, 224), fall_back=True
    )
    shapes = observe(model, (3, 64, 64) if name != "vit_b_16" else (3, 224, 224))
    assert numbers.layers[0].kind is Kind.ELEMENTWISE  # the sum
    assert [layer[1:4] for layer in numbers.layers[1:]] == [layer[1:4] for layer in shapes.layers]
    assert macs(numbers) == macs(shapes)


# --- formulas


@pytest.mark.parametrize(
    ("module", "input_shape", "expected"),
    [
        (nn.Conv2d(4, 8, 3), (4, 9, 7), 4 * 8 * 9 * 7 * 5),
        (nn.Conv2d(4, 8, (3, 1), bias=False), (4, 9, 7), 4 * 8 * 3 * 7 * 7),
        (nn.Conv2d(4, 8, 3, groups=2), (4, 9, 7), 4 * 8 // 2 * 9 * 7 * 5),
        (nn.Conv2d(4, 4, 3, groups=4, padding=1), (4, 9, 7), 4 * 9 * 9 * 7),
        (nn.Conv2d(4, 8, 3, dilation=2), (4, 9, 7), 4 * 8 * 9 * 5 * 3),
        (nn.Conv2d(4, 8, 3, stride=2, padding=1), (4, 9, 7), 4 * 8 * 9 * 5 * 4),
        (nn.Conv2d(4, 8, 3, padding="same"), (4, 9, 7), 4 * 8 * 9 * 9 * 7),
        (nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular"), (4, 9, 7), 4 * 8 * 9 * 9 * 7),
        (nn.Conv1d(4, 8, 3), (4, 9), 4 * 8 * 3 * 7),
        (nn.Conv3d(4, 8, 3), (4, 5, 6, 7), 4 * 8 * 27 * 3 * 4 * 5),
        # Each element that comes in meets each weight of its channel.
        (nn.ConvTranspose2d(4, 8, 3, stride=2), (4, 9, 7), 4 * 9 * 7 * 8 * 9),
        (nn.ConvTranspose2d(4, 8, 3, stride=2, groups=2), (4, 9, 7), 4 * 9 * 7 * 4 * 9),
        (nn.ConvTranspose1d(4, 8, 3), (4, 9), 4 * 9 * 8 * 3),
        (nn.Linear(5, 6), (5,), 5 * 6),
        (nn.Linear(5, 6), (7, 5), 7 * 5 * 6),
    ],
    ids=str,
)
def test_layers_with_weights_cost_their_formula(
    module: nn.Module, input_shape: tuple[int, ...], expected: int
) -> None:
    seen = observe(module, input_shape)
    (layer,) = (layer for layer in seen.layers if layer.macs)
    assert layer.macs == expected
    weight, bias = module.weight, module.bias
    assert isinstance(weight, Tensor)
    assert layer.weights == weight.numel()
    assert layer.biases == (bias.numel() if isinstance(bias, Tensor) else 0)
    assert layer.module == type(module).__name__
    assert layer.sources == (IMAGE,)
    assert seen.output_shape == layer.output_CHW == tuple(module(torch.rand(1, *input_shape)).shape[1:])


def test_a_convolution_is_described_in_full() -> None:
    module = nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(2, 1), groups=2)
    (layer,) = observe(nn.Sequential(module), (4, 20, 20)).layers
    assert layer == Layer(
        name="0",
        kind=Kind.CONVOLUTION,
        input_CHW=(4, 20, 20),
        output_CHW=(8, 9, 20),
        sources=(IMAGE,),
        weights=8 * 2 * 15,
        biases=8,
        macs=8 * 2 * 15 * 9 * 20,
        kernel=3,
        stride=2,
        padding=1,
        groups=2,
        dilation=2,
        module="Conv2d",
        operator="aten.convolution",
    )


@pytest.mark.parametrize(
    ("module", "kind", "kernel", "stride", "padding", "dilation", "adaptive"),
    [
        (nn.MaxPool2d(3, 2, 1), Kind.MAX_POOL, 3, 2, 1, 1, False),
        (nn.MaxPool2d(2), Kind.MAX_POOL, 2, 2, 0, 1, False),
        (nn.MaxPool2d(2, 1, dilation=3), Kind.MAX_POOL, 2, 1, 0, 3, False),
        (nn.MaxPool2d(2, return_indices=True), Kind.MAX_POOL, 2, 2, 0, 1, False),
        (nn.AvgPool2d((2, 4), ceil_mode=True), Kind.AVERAGE_POOL, 2, 2, 0, 1, False),
        (nn.AvgPool2d(3, 1, 1), Kind.AVERAGE_POOL, 3, 1, 1, 1, False),
        (nn.AdaptiveAvgPool2d(7), Kind.AVERAGE_POOL, 1, 1, 0, 1, True),
        (nn.AdaptiveAvgPool2d(1), Kind.AVERAGE_POOL, 1, 1, 0, 1, True),
        (nn.AdaptiveMaxPool2d((2, 2)), Kind.MAX_POOL, 1, 1, 0, 1, True),
    ],
    ids=str,
)
def test_pools_are_described_in_full(
    module: nn.Module, kind: Kind, kernel: int, stride: int, padding: int, dilation: int, adaptive: bool
) -> None:
    (layer,) = observe(nn.Sequential(module), (4, 14, 14)).layers
    assert (layer.kind, layer.name, layer.module) == (kind, "0", type(module).__name__)
    assert (layer.kernel, layer.stride, layer.padding) == (kernel, stride, padding)
    assert (layer.dilation, layer.adaptive) == (dilation, adaptive)


def test_the_mean_over_all_places_is_global_average_pooling() -> None:
    seen = observe(
        Does(lambda _self, x: x.mean((2, 3)) + x.mean([-1, -2], keepdim=True).flatten(1)), (4, 6, 5)
    )
    assert kinds(seen) == [Kind.AVERAGE_POOL, Kind.AVERAGE_POOL, Kind.ADD]
    assert [layer.adaptive for layer in seen.layers] == [True, True, False]
    assert [layer.name for layer in seen.layers] == ["avgpool", "avgpool", "add"]
    (channels,) = observe(Does(lambda _self, x: x.mean(1)), (4, 6, 5)).layers
    assert (channels.kind, channels.operator) == (Kind.ELEMENTWISE, "aten.mean")


@pytest.mark.parametrize(
    ("does", "kind", "operator"),
    [
        (functional.relu, Kind.RELU, "aten.relu"),
        (torch.relu_, Kind.RELU, "aten.relu"),
        (torch.sigmoid, Kind.SIGMOID, "aten.sigmoid"),
        (lambda x: x + x, Kind.ADD, "aten.add"),
        (lambda x: x.add_(x), Kind.ADD, "aten.add"),
        (lambda x: x + 1, Kind.ELEMENTWISE, "aten.add"),
        (lambda x: x * x, Kind.MULTIPLY, "aten.mul"),
        (lambda x: x * 2, Kind.SCALE, "aten.mul"),
        (lambda x: x * torch.tensor(2.0), Kind.SCALE, "aten.mul"),
        (lambda x: 1 - x, Kind.SUBTRACT, "aten.rsub"),
        (lambda x: x - x, Kind.SUBTRACT, "aten.sub"),
        (lambda x: torch.cat((x, x), 1), Kind.CONCATENATE, "aten.cat"),
        (lambda x: torch.stack((x, x), 1), Kind.CONCATENATE, "aten.stack"),
        (lambda x: x.softmax(1), Kind.SOFTMAX, "aten.softmax"),
        (lambda x: functional.log_softmax(x, 1, dtype=torch.float64), Kind.SOFTMAX, "aten.log_softmax"),
        (lambda x: functional.layer_norm(x, x.shape[1:]), Kind.NORM, "aten.layer_norm"),
        (lambda x: functional.group_norm(x, 2), Kind.NORM, "aten.group_norm"),
        (lambda x: functional.rms_norm(x, x.shape[1:]), Kind.NORM, "aten.rms_norm"),
        (functional.instance_norm, Kind.NORM, "aten.instance_norm"),
        (functional.gelu, Kind.ELEMENTWISE, "aten.gelu"),
        (functional.silu, Kind.ELEMENTWISE, "aten.silu"),
        (functional.hardswish, Kind.ELEMENTWISE, "aten.hardswish"),
        (functional.hardsigmoid, Kind.ELEMENTWISE, "aten.hardsigmoid"),
        (torch.tanh, Kind.ELEMENTWISE, "aten.tanh"),
        (lambda x: x.sqrt(), Kind.ELEMENTWISE, "aten.sqrt"),
        (lambda x: x / 3, Kind.ELEMENTWISE, "aten.div"),
        (lambda x: x.permute(0, 2, 3, 1).clamp(0), Kind.ELEMENTWISE, "aten.clamp"),
        (lambda x: x.sum(), Kind.ELEMENTWISE, "aten.sum"),
        (lambda x: functional.interpolate(x, scale_factor=2), Kind.ELEMENTWISE, "aten.upsample_nearest2d"),
        (lambda x: functional.dropout(x, 0.5), Kind.DROPOUT, "aten.dropout"),
        (torch.fft.fft, Kind.UNKNOWN, "aten._fft_r2c"),
        (lambda x: x.sort().values, Kind.UNKNOWN, "aten.sort"),
        (torch.linalg.qr, Kind.UNKNOWN, "aten.linalg_qr"),
    ],
)
def test_operators_have_their_kind(does: Callable[[Tensor], Any], kind: Kind, operator: str) -> None:
    (layer,) = observe(Does(lambda _self, x: does(x)), (4, 6, 6)).layers
    assert (layer.kind, layer.operator) == (kind, operator)
    assert set(layer.sources) == {IMAGE}
    assert layer.macs == 0


@pytest.mark.parametrize(
    "does",
    [
        lambda x: x.flatten(1).reshape(-1, 2).T.unsqueeze(0).expand(3, -1, -1),
        lambda x: x.clone().contiguous().to(torch.float64).cpu(),
        lambda x: torch.roll(x, 1, 2).flip(3).repeat(1, 2, 1, 1)[:, [0, 2]],
        lambda x: (x, torch.arange(5), torch.zeros(3), x.new_ones(2), torch.tensor([1.0])),
        lambda x: functional.dropout(x, 0.5, training=False),
        lambda x: functional.pad(x, (1, 1, 1, 1), mode="reflect"),
        lambda x: x.chunk(2, 1)[0].detach().unbind(1),
        lambda x: functional.pixel_shuffle(x, 2),
    ],
)
def test_moving_data_is_no_layer(does: Callable[[Tensor], Any]) -> None:
    assert observe(Does(lambda _self, x: does(x)), (4, 6, 6)).layers == ()


# --- products


def test_products_with_weights_are_linear_and_of_activations_are_not() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        weighted = x @ self.w  # (1, 5, 6) x (6, 7)
        scores = weighted @ weighted.transpose(1, 2)
        out: Tensor = torch.einsum("bij,jk,kl->bil", scores, self.v, self.u)
        return out

    model = Does(forward, w=torch.rand(6, 7), v=torch.rand(5, 4), u=torch.rand(4, 3))
    seen = observe(model, (5, 6))
    products = [layer for layer in seen.layers if layer.macs]
    assert [layer.kind for layer in products] == [Kind.LINEAR, Kind.MATMUL, Kind.LINEAR, Kind.LINEAR]
    assert [layer.macs for layer in products] == [5 * 6 * 7, 5 * 7 * 5, 5 * 5 * 4, 5 * 4 * 3]
    assert [layer.weights for layer in products] == [42, 0, 20, 12]
    assert [layer.sources for layer in products] == [(IMAGE,), (0, 0), (1,), (2,)]
    assert held(seen) == seen.parameters


def test_functions_with_raw_parameters_hold_them() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        out = functional.conv2d(x, self.w.transpose(0, 1), self.b, padding=1)
        return functional.linear(out.flatten(1), self.v) + self.offset

    w, b, v = torch.rand(4, 5, 3, 3), torch.rand(5), torch.rand(2, 5 * 6 * 6)
    seen = observe(Does(forward, w=w, b=b, v=v, offset=torch.rand(2)), (4, 6, 6))
    assert [(layer.name, layer.weights, layer.biases, layer.macs) for layer in seen.layers] == [
        ("convolution", 180, 5, 180 * 36),
        ("linear", 360, 0, 360),
        ("add", 2, 0, 0),
    ]
    assert kinds(seen)[-1] is Kind.ELEMENTWISE


def attention_macs(queries: int, keys: int, width: int) -> int:
    return 2 * queries * keys * width


def test_attention_is_its_two_products() -> None:
    def forward(_self: Any, x: Tensor) -> Tensor:
        heads = x.unflatten(-1, (2, 4)).transpose(1, 2)  # (1, 2, 5, 4)
        return functional.scaled_dot_product_attention(heads, heads, heads).transpose(1, 2).flatten(2)

    seen = observe(Does(forward), (5, 8))
    assert kinds(seen) == [Kind.MATMUL, Kind.SCALE, Kind.SOFTMAX, Kind.MATMUL]
    assert macs(seen) == attention_macs(5, 5, 8)
    assert [layer.sources for layer in seen.layers] == [(IMAGE, IMAGE), (0,), (1,), (2, IMAGE)]
    assert seen.layers[0].output_CHW == (2, 5, 5)
    assert seen.output_shape == (5, 8)


@pytest.mark.parametrize("need_weights", [False, True])
def test_multi_head_attention_has_its_projections(need_weights: bool) -> None:
    inside = nn.MultiheadAttention(8, 2, batch_first=True)
    seen = observe(
        Does(lambda self, x: self.inside(x, x, x, need_weights=need_weights)[0], inside=inside), (5, 8)
    )
    linear = [layer for layer in seen.layers if layer.kind is Kind.LINEAR]
    assert sum(layer.macs for layer in linear) == 5 * 8 * 24 + 5 * 8 * 8
    assert macs(seen) - sum(layer.macs for layer in linear) == attention_macs(5, 5, 8)
    assert held(seen) == seen.parameters == 4 * (8 * 8 + 8)


def test_a_transformer_layer_has_attention_and_two_linear_layers() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 32, batch_first=True)
    seen = observe(model, (5, 8))
    assert macs(seen) == 5 * (4 * 8 * 8 + 2 * 8 * 32) + attention_macs(5, 5, 8)
    count = Counter(kinds(seen))
    assert (count[Kind.LINEAR], count[Kind.MATMUL], count[Kind.NORM], count[Kind.ADD]) == (4, 2, 2, 2)
    assert held(seen) == seen.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_a_recurrent_layer_costs_its_products_at_every_step() -> None:
    model = nn.LSTM(6, 8, batch_first=True)
    seen = observe(model, (5, 6))
    assert macs(seen) == 5 * 4 * 8 * (6 + 8)
    assert held(seen) == seen.parameters == 4 * 8 * (6 + 8 + 2)


# --- parameters and names


def test_a_shared_module_runs_twice_and_is_held_once() -> None:
    shared = nn.Conv2d(4, 4, 3, padding=1)
    seen = observe(nn.Sequential(shared, nn.ReLU(), nn.Sequential(shared)), (4, 5, 5))
    first, _, second = seen.layers
    assert (first.weights, first.biases) == (144, 4)
    assert (second.weights, second.biases) == (0, 0)
    assert first.macs == second.macs == 144 * 25
    assert first.name == second.name == "0"
    assert held(seen) == seen.parameters == 148


def test_tied_weights_are_held_once() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    seen = observe(model, (4,))
    assert [layer.weights for layer in seen.layers] == [16, 0]
    assert seen.parameters == 16
    assert macs(seen) == 32


def test_parameters_that_no_layer_reads_are_told() -> None:
    seen = observe(Does(lambda self, x: self.used(x), used=nn.Linear(4, 2), unused=nn.Linear(9, 9)), (4,))
    assert (seen.parameters, held(seen)) == (100, 10)
    assert seen.notes == ("90 of 100 parameters are in no layer that ran",)


def test_names_are_paths_in_nested_containers() -> None:
    inside = nn.ModuleDict({"a": nn.ModuleList([nn.Conv2d(3, 4, 1), nn.Identity()])})

    def forward(self: Any, x: Tensor) -> Any:
        first, same = self.inside["a"]
        return same(torch.relu(first(x)))

    seen = observe(nn.Sequential(Does(forward, inside=inside)), (3, 4, 4))
    assert [(layer.name, layer.module) for layer in seen.layers] == [
        ("0.inside.a.0", "Conv2d"),
        ("0.relu", ""),
    ]


def test_weights_that_are_computed_are_held_where_they_are_read() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
    seen = observe(model, (4,))
    (linear,) = (layer for layer in seen.layers if layer.kind is Kind.LINEAR)
    assert linear.macs == 12
    assert held(seen) == seen.parameters == 12 + 3 + 3


# --- dataflow


def test_sources_follow_views_copies_and_what_happens_in_place() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        a = self.conv(x)  # 0
        left, right = a.chunk(2, 1)
        right = right.transpose(2, 3).contiguous()
        left.mul_(right)  # 1: changes a
        b = a.sigmoid()  # 2
        kept = torch.empty_like(b)
        kept[:, :2] = left
        return (kept * b).flatten(1)  # 3

    seen = observe(Does(forward, conv=nn.Conv2d(3, 4, 1)), (3, 5, 5))
    assert kinds(seen) == [Kind.CONVOLUTION, Kind.MULTIPLY, Kind.SIGMOID, Kind.MULTIPLY]
    assert [layer.sources for layer in seen.layers] == [(IMAGE,), (0, 0), (0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("shortcut", "before", "after"),
    [
        (lambda x: functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2), "constant", 0), 2, 2),
        (lambda x: functional.pad(x[..., ::2, ::2], (0, 0, 0, 0, 0, 4)), 0, 4),
        (lambda x: torch.cat((x[:, :, ::2, ::2], torch.zeros(1, 4, 3, 3)), 1), 0, 4),
        (lambda x: torch.cat((x[:, :, ::2, ::2], torch.zeros_like(x)[:, :, ::2, ::2]), dim=1), 0, 4),
    ],
)
def test_a_zero_padded_shortcut_is_recognised(
    shortcut: Callable[[Tensor], Tensor], before: int, after: int
) -> None:
    (layer,) = observe(Does(lambda _self, x: shortcut(x)), (4, 6, 6)).layers
    assert (layer.kind, layer.sources) == (Kind.ZERO_PAD, (IMAGE,))
    assert (layer.input_CHW, layer.output_CHW) == ((4, 6, 6), (8, 3, 3))
    assert (layer.before, layer.after, layer.stride, layer.padding) == (before, after, 2, 0)


def test_a_shortcut_that_pools_and_appends_its_product_with_zero_is_recognised() -> None:
    def forward(_self: Any, x: Tensor) -> Tensor:
        pooled = functional.avg_pool2d(x, 1, 2)
        return torch.cat((pooled, pooled.mul(0)), 1)

    pool, product, padding = observe(Does(forward), (4, 6, 6)).layers
    assert (pool.kind, pool.stride, product.kind) == (Kind.AVERAGE_POOL, 2, Kind.SCALE)
    assert (padding.kind, padding.sources, padding.stride) == (Kind.ZERO_PAD, (0,), 1)
    assert (padding.before, padding.after) == (0, 4)


def test_zeros_around_a_picture_are_a_padding_without_channels() -> None:
    (layer,) = observe(nn.Sequential(nn.ZeroPad2d((1, 2, 3, 4))), (4, 6, 6)).layers
    assert (layer.kind, layer.module, layer.padding) == (Kind.ZERO_PAD, "ZeroPad2d", 3)
    assert (layer.before, layer.after, layer.output_CHW) == (0, 0, (4, 13, 9))


@pytest.mark.parametrize(
    "gives",
    [
        lambda x: {"logits": x.relu(), "more": x},
        lambda x: (x.relu(), {"more": [x]}),
        lambda x: [x.relu()],
        lambda x: torch.return_types.max((x.relu(), x)),
    ],
)
def test_any_nest_of_outputs_works(gives: Callable[[Tensor], Any]) -> None:
    assert observe(Does(lambda _self, x: gives(x)), (4, 3, 3)).output_shape == (4, 3, 3)


# --- what can't be priced, and what can't be seen


@torch.library.custom_op("resbench_test::twice", mutates_args=())
def twice(x: Tensor) -> Tensor:
    return x * 2


@twice.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


@torch.library.custom_op("resbench_test::opaque", mutates_args=())
def opaque(x: Tensor) -> Tensor:
    return x * 2


def test_an_operator_from_outside_is_named_and_unknown() -> None:
    seen = observe(Does(lambda _self, x: twice(x).relu()), (4, 3, 3))
    custom, relu = seen.layers
    assert (custom.kind, custom.operator, custom.name) == (Kind.UNKNOWN, "resbench_test.twice", "twice")
    assert (custom.input_CHW, custom.output_CHW, relu.sources) == ((4, 3, 3), (4, 3, 3), (0,))


def branching(self: Any, x: Tensor) -> Tensor:
    out: Tensor = self.inside(x)
    return out.relu() if out.sum() > 0 else out.sigmoid()


@pytest.mark.parametrize(
    ("does", "operator"),
    [
        (branching, "aten.item"),
        (lambda self, x: self.inside(x)[x.sum(1) > 0], "aten.index"),
        (lambda self, x: opaque(self.inside(x)), "resbench_test.opaque"),
    ],
)
def test_what_needs_numbers_is_refused_or_run_on_numbers(does: Callable[..., Any], operator: str) -> None:
    model = nn.Sequential(Does(does, inside=nn.Linear(4, 4)))
    with pytest.raises(UsageError, match=rf"{operator} in 0 .*fall_back"):
        observe(model, (4,))
    seen = observe(model, (4,), fall_back=True)
    assert macs(seen) == 16
    assert held(seen) == seen.parameters == 20
    (note,) = seen.notes
    assert operator in note
    assert "another input may take another way" in note
    with torch.device("meta"):
        weightless = nn.Sequential(Does(does, inside=nn.Linear(4, 4)))
    assert macs(observe(weightless, (4,), fall_back=True)) == 16


def test_constants_made_on_the_cpu_meet_the_networks_tensors() -> None:
    def forward(_self: Any, x: Tensor) -> Tensor:
        out = torch.zeros(1, 2, 4)
        for step in range(2):
            out[:, step] = x * torch.tensor([1.0, 2.0, 3.0, 4.0])
        return out + torch.arange(4)

    seen = observe(Does(forward), (4,))
    assert kinds(seen) == [Kind.MULTIPLY, Kind.MULTIPLY, Kind.ELEMENTWISE]
    assert seen.layers[-1].sources == (0, 1)


@pytest.mark.parametrize(
    ("does", "message"),
    [
        (lambda self, x: self.inside(x), r"Does fails on an input of 5x4, in inside: RuntimeError: .*"),
        (
            lambda self, x: self.missing(x),
            r"Does fails on an input of 5x4, in Does: AttributeError: .*missing.*",
        ),
        (lambda self, x: {"x": 1}["gone"], r"Does fails on an input of 5x4, in Does: KeyError: 'gone'"),
    ],
)
def test_what_the_network_raises_is_told_in_one_line(does: Callable[..., Any], message: str) -> None:
    with pytest.raises(ResbenchError, match=f"^{message}$") as raised:
        observe(Does(does, inside=nn.Linear(3, 4)), (5, 4))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("shape", "batch"), [((3, 0, 4), 1), ((3, 4, 4), 0)])
def test_an_empty_input_is_refused(shape: tuple[int, ...], batch: int) -> None:
    with pytest.raises(UsageError, match="is empty: give a batch and sides of at least 1"):
        observe(nn.Identity(), shape, batch=batch)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_layers_are_refused() -> None:
    with pytest.raises(UsageError, match="has lazy layers: run it once"):
        observe(nn.LazyLinear(3), (4,))


# --- the caller's model


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_callers_model_stays_as_it_was(device: str) -> None:
    with torch.device(device):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU())
    model[1].eval()
    calls: list[str] = []
    model[0].register_forward_hook(lambda *_: calls.append("hook"))
    state = copy.deepcopy(model.state_dict())
    parameters = dict(model.named_parameters())
    attention = torch.backends.mha.get_fastpath_enabled()

    observe(model, (3, 8, 8))
    with pytest.raises(ResbenchError):
        observe(model, (5, 8, 8))

    assert [module.training for module in model.modules()] == [True, True, False, True, True]
    assert dict(model.named_parameters()).items() == parameters.items()
    assert all(parameter.device.type == device for parameter in parameters.values())
    for name, tensor in model.state_dict().items():
        assert tensor.is_meta or torch.equal(tensor, state[name])
    assert [len(module._forward_hooks) for module in model.modules()] == [0, 1, 0, 0, 0]
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert torch.backends.mha.get_fastpath_enabled() == attention


def test_a_network_that_overrides_train_is_copied_to_be_evaluated() -> None:
    class Frozen(nn.Linear):
        switched = False

        def train(self, mode: bool = True) -> "Frozen":
            self.switched = True
            return super().train(mode)

    with torch.device("meta"):
        model = Frozen(4, 4)
    assert macs(observe(model, (4,))) == 16
    assert model.training
    assert not model.switched


def test_a_constant_that_is_no_buffer_is_copied_too() -> None:
    model = Does(lambda self, x: x * self.constant)
    model.constant = torch.rand(4)
    (layer,) = observe(model, (4,)).layers
    assert layer.kind is Kind.MULTIPLY
    assert not model.constant.is_meta


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_networks_precision_does_not_matter(dtype: torch.dtype) -> None:
    model = torchvision.models.resnet18()
    assert observe(model.to(dtype), (3, 64, 64)) == observe(model.float(), (3, 64, 64))


def test_a_compiled_network_is_seen_as_what_it_was() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    compiled: Any = torch.compile(model)
    assert observe(compiled, (4,)) == observe(model, (4,))


def test_no_weights_are_allocated() -> None:
    """VGG-16 has 528 MiB of them, and its activations take 100 more."""
    script = """
import resource, torch
from resbench.catalog import gather
from resbench.models.build import build
from resbench.models.observing import observe
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
small, large = (gather("architectures", "ARCHITECTURES")[name] for name in ("cifar_resnet20", "vgg16"))
with torch.device("meta"):
    observe(build(small), small.input_CHW)
    before = peak()
    observe(build(large), large.input_CHW)
print(peak() - before)
"""
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(grown.stdout) < 30
