"""One training step in each way of running it, against the plain one written out."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from resbench.errors import UsageError
from resbench.specs import Engine, Precision, Recipe
from resbench.training.averaging import average_of
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.step import TrainingStep, format_of, training_step
from resbench.training.world import ALONE

CPU = torch.device("cpu")
PLAIN = Engine(fused=False, memory_format="contiguous")


def network(*, dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def batches(count: int, device: torch.device = CPU) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (
            torch.randn(6, 3, 8, 8, generator=generator).to(device),
            torch.randint(5, (6,), generator=generator).to(device),
        )
        for _ in range(count)
    ]


def step_of(
    model: nn.Module, engine: Engine, recipe: Recipe = HE2015_CIFAR, device: torch.device = CPU
) -> TrainingStep:
    return training_step(model, recipe, engine, seed=0, device=device, world=ALONE)


def trained(engine: Engine, count: int = 4, device: torch.device = CPU) -> nn.Module:
    model = network().to(device)
    step = step_of(model, engine, device=device)
    for number, (images, labels) in enumerate(batches(count, device)):
        step(images, labels, rate=0.1 / (1 + number // 2), weight=1.0, iteration=number)
    return model


def written_out(count: int = 4, device: torch.device = CPU, dtype: torch.dtype | None = None) -> nn.Module:
    model = network().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    for number, (images, labels) in enumerate(batches(count, device)):
        optimizer.param_groups[0]["lr"] = 0.1 / (1 + number // 2)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            logits = model(images)
        optimizer.zero_grad()
        functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
    return model


def difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((a.detach() - b.detach()).abs().max()) for a, b in pairs)


def test_the_plain_step_is_the_one_written_out_bit_for_bit() -> None:
    assert difference(trained(PLAIN), written_out()) == 0


@pytest.mark.parametrize(
    "engine",
    [replace(PLAIN, fused=True), replace(PLAIN, memory_format="channels_last"), Engine()],
    ids=["fused", "channels_last", "default"],
)
def test_other_orders_of_the_same_arithmetic_agree_to_rounding(engine: Engine) -> None:
    assert difference(trained(engine), written_out()) < 1e-5


def test_the_format_is_that_found_faster_unless_one_is_asked_for() -> None:
    cuda = torch.device("cuda", 0)
    assert (format_of(Engine(), CPU), format_of(Engine(), cuda)) == ("channels_last", "contiguous")
    assert format_of(PLAIN, CPU) == "contiguous"
    assert format_of(Engine(memory_format="channels_last"), cuda) == "channels_last"


def test_bf16_is_autocast_with_float32_weights() -> None:
    model = trained(replace(PLAIN, precision=Precision.BF16))
    assert difference(model, written_out(dtype=torch.bfloat16)) == 0
    assert 0 < difference(model, written_out()) < 0.1
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_what_a_step_returns_is_the_loss_before_it_and_the_hits() -> None:
    (images, labels), *_ = batches(1)
    model = network()
    with torch.no_grad():
        logits = copy.deepcopy(model)(images)
    loss, top1, top5 = step_of(model, PLAIN)(images, labels, rate=0.1, weight=1.0, iteration=0).tolist()
    assert loss == pytest.approx(functional.cross_entropy(logits, labels, reduction="sum").item(), rel=1e-6)
    assert top1 == (logits.argmax(dim=1) == labels).sum().item()
    assert top5 == 6  # five classes


def test_compiling_compiles_the_network_for_whole_batches_and_trains_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[nn.Module] = []
    seen: list[int] = []

    def compile_it(model: nn.Module, **_: Any) -> Callable[[Tensor], Tensor]:
        compiled.append(model)

        def call(images: Tensor) -> Tensor:
            seen.append(len(images))
            logits: Tensor = model(images)
            return logits

        return call

    monkeypatch.setattr(torch, "compile", compile_it)
    models = []
    for engine in (replace(PLAIN, compile=True), PLAIN):
        model = network()
        step = step_of(model, engine, replace(HE2015_CIFAR, train_batch=6))
        for number, (images, labels) in enumerate(batches(3)):
            size = 4 if number == 1 else 6
            step(images[:size], labels[:size], rate=0.1, weight=1.0, iteration=number)
        models.append(model)
    assert compiled == models[:1]
    assert seen == [6, 6]
    assert difference(*models) == 0


def test_the_average_takes_in_each_step() -> None:
    model = network()
    step = step_of(model, PLAIN, replace(HE2015_CIFAR, ema=0.5))
    expected = average_of(model, 0.5)
    for number, (images, labels) in enumerate(batches(3)):
        step(images, labels, rate=0.1, weight=1.0, iteration=number)
        expected.update(model)
    assert step.average is not None
    assert all(torch.equal(step.average.tensors[name], tensor) for name, tensor in expected.tensors.items())


def test_dropout_draws_by_the_number_of_the_step_alone() -> None:
    (images, labels), *_ = batches(1)
    losses = []
    for number, seed in ((7, 1), (7, 2), (8, 1)):
        torch.manual_seed(seed)
        step = step_of(network(dropout=0.5), PLAIN)
        losses.append(step(images, labels, rate=0.1, weight=1.0, iteration=number)[0].item())
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (Engine(precision=Precision.FP16), "'fp16' is for GPUs"),
        (Engine(cuda_graph=True), "a CUDA graph needs a CUDA device, found cpu"),
    ],
)
def test_what_a_cpu_has_not_is_refused(engine: Engine, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        step_of(network(), engine)


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
def test_a_recorded_step_trains_as_the_plain_one() -> None:
    """Ten steps: three warm up, the fourth is recorded and replayed; the rate falls meanwhile."""
    cuda = torch.device("cuda", 0)
    recorded = trained(Engine(cuda_graph=True), 10, cuda)
    assert difference(recorded, trained(Engine(), 10, cuda)) < 1e-5


@needs_cuda
def test_a_smaller_last_batch_runs_beside_the_recording() -> None:
    cuda = torch.device("cuda", 0)
    models = []
    for engine in (Engine(cuda_graph=True), Engine()):
        model = network().to(cuda)
        step = step_of(model, engine, device=cuda)
        for number, (images, labels) in enumerate(batches(8, cuda)):
            size = 3 if number == 6 else 6
            step(images[:size], labels[:size], rate=0.1, weight=1.0, iteration=number)
        models.append(model)
    assert difference(*models) < 1e-5


@needs_cuda
@pytest.mark.parametrize("graph", [False, True])
def test_fp16_scales_the_loss(graph: bool) -> None:
    cuda = torch.device("cuda", 0)
    model = trained(Engine(precision=Precision.FP16, cuda_graph=graph), 6, cuda)
    assert difference(model, trained(Engine(), 6, cuda)) < 0.1
