from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.metrics.roofline.layers import Operation
from resbench.metrics.roofline.operators import FORWARD, MODULE, marked, measure_layers, passes_of, watch
from resbench.models.build import build
from resbench.models.observing import observe

CPU = torch.device("cpu")


def event(name: str, start: float, *children: Any, seconds: float = 0.0, kernels: float = 0.0) -> Any:
    return SimpleNamespace(
        name=name,
        cpu_children=list(children),
        cpu_time_total=1e6 * seconds,
        device_time_total=1e6 * kernels,
        device_type=SimpleNamespace(name="CPU"),
        time_range=SimpleNamespace(start=start, elapsed_us=lambda: 1e6 * seconds),
    )


def one_pass() -> Any:
    inner = event("aten::mkldnn_convolution", 3, seconds=2.5, kernels=0.2)
    convolution = event("aten::conv2d", 2, inner, seconds=3.0, kernels=0.25)
    relu = event("aten::relu_", 1, seconds=1.0, kernels=0.5)
    again = event("aten::relu_", 5, seconds=1.5, kernels=0.75)
    return event(
        FORWARD,
        0,
        # Out of order, as a profiler may give them.
        event(f"{MODULE}relu", 4.5, again),
        event(f"{MODULE}relu", 0.5, relu),
        event(f"{MODULE}conv", 1.5, event("another mark", 1.6, convolution)),
        event("aten::add", 6, seconds=0.5, kernels=0.125),
        seconds=7.0,
    )


def test_operators_are_told_apart_by_module_and_call() -> None:
    (seen,) = passes_of([one_pass()], {"relu", "conv"}, on_gpu=False)
    assert seen.seconds == 7.0
    assert seen.operations == (
        Operation("relu", 0, True, "aten.relu", 1.0),
        Operation("conv", 0, True, "aten.conv2d", 3.0),
        Operation("relu", 1, True, "aten.relu", 1.5),
        Operation("", 0, False, "aten.add", 0.5),
    )


def test_on_a_gpu_the_time_is_that_of_the_kernels_and_marks_among_them_are_no_passes() -> None:
    on_gpu = event(FORWARD, 0.1)
    on_gpu.device_type = SimpleNamespace(name="CUDA")
    (seen,) = passes_of([one_pass(), on_gpu], {"relu", "conv"}, on_gpu=True)
    assert [operation.seconds for operation in seen.operations] == [0.5, 0.25, 0.75, 0.125]


def calling(model: nn.Module, shape: Sequence[int]) -> Callable[[], Tensor]:
    images = torch.randn(1, *shape)

    def call() -> Tensor:
        with torch.inference_mode():
            output: Tensor = model(images)
            return output

    return call


@pytest.mark.parametrize("name", ["cifar_resnet20", "cifar_resnet20_b", "cifar_plain20"])
def test_every_layer_of_a_described_network_is_seen(name: str) -> None:
    architecture = find_architecture(name)
    model = build(architecture).eval()
    layers = layers_of(architecture, (3, 8, 8))
    times = measure_layers(model, calling(model, (3, 8, 8)), layers, CPU, rounds=1, calls=2)
    assert all(time.seconds for time in times.layers)
    assert set(times.others) == {"flatten"}
    assert times.n == 2
    assert "profiler" in times.method


class _Functional(nn.Module):
    """Modules without a name of their own, functions, and a module that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.gelu = nn.GELU()

    def forward(self, images: Tensor) -> Tensor:
        planes = self.gelu(self.convolution(images))
        planes = self.gelu(torch.cat((planes, planes), 1)) * 2
        return nn.functional.adaptive_avg_pool2d(planes, 1).flatten(1)


def test_every_layer_of_an_observed_network_is_seen() -> None:
    model = _Functional().eval()
    layers = observe(model, (3, 6, 6)).layers
    times = measure_layers(model, calling(model, (3, 6, 6)), layers, CPU, rounds=1, calls=1)
    assert [time.seconds is not None for time in times.layers] == [True] * 6
    assert set(times.others) == {"flatten"}


def test_clock_is_the_one_that_was_given() -> None:
    model = nn.Sequential(nn.ReLU()).eval()
    layers = observe(model, (3, 4, 4)).layers
    readings = iter([9.0, 3.0, 5.0])

    def timed(call: Callable[[], object]) -> float:
        call()
        return next(readings)

    times = measure_layers(model, calling(model, (3, 4, 4)), layers, CPU, rounds=1, calls=2, timed=timed)
    # The first call of a round counts for nothing; of the other two the quicker half is one.
    assert times.whole_s == 3.0


def test_nothing_is_left_in_the_network_when_it_fails() -> None:
    def failing() -> None:
        raise RuntimeError("the network failed")

    before = len(hooks._global_forward_hooks)
    with pytest.raises(RuntimeError, match="the network failed"):
        watch(nn.ReLU(), failing, CPU, 1)
    assert len(hooks._global_forward_hooks) == before


def test_marks_end_where_a_module_fails() -> None:
    class Failing(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise ValueError("no")

    model = nn.Sequential(Failing())
    with marked(model), pytest.raises(ValueError, match="no"):
        model(torch.ones(1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_kernels_of_a_gpu_are_seen() -> None:
    device = torch.device("cuda")
    architecture = find_architecture("cifar_resnet20")
    model = build(architecture).eval().to(device)
    images = torch.randn(8, 3, 32, 32, device=device)

    def call() -> Tensor:
        with torch.inference_mode():
            output: Tensor = model(images)
            return output

    times = measure_layers(model, call, layers_of(architecture), device, rounds=1, calls=2)
    assert all(time.seconds for time in times.layers)
