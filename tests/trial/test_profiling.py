"""Profiling a small network for real, on the CPU; the figures themselves are each metric's own tests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import torch
from torch import Tensor

from resbench.errors import ResbenchError, UsageError
from resbench.metrics import memory
from resbench.metrics.flops import peers
from resbench.results import Measurement, Statistic, Unit, digest
from resbench.specs import Experiment, Precision, Profiling, Scale
from resbench.trial import profiling

QUESTION = Experiment(
    model="cifar_plain20",
    device="cpu",
    precision=Precision.FP32,
    seed=3,
    scale=Scale.SMOKE,
    profiling=Profiling(batch_size=2, num_classes=10, input_CHW=(3, 16, 16)),
)


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peak memory starts a process that imports torch: its own tests do that."""
    fake = Measurement(metric="peak_memory", value=1.0, unit=Unit.BYTE, statistic=Statistic.MAXIMUM)
    monkeypatch.setattr(memory, "peak_on_cpu", lambda *_arguments: fake)


def test_a_profile_holds_every_figure_with_its_method_and_n() -> None:
    said: list[str] = []
    result = profiling.profile(QUESTION, said.append)
    assert result.key == QUESTION.key
    assert digest(result.experiment) == digest(QUESTION)
    assert datetime.fromisoformat(result.started).utcoffset() is not None
    assert result.seconds > 0
    methods = [(found.metric, found.method) for found in result.measurements if found.metric != "throughput"]
    assert methods == [
        ("parameters", "trainable numbers"),
        ("size", "parameters x 4 bytes"),
        ("macs", "core"),
        ("flops", "2 x core"),
        ("flops", "voc-table"),
        ("peak_memory", "growth of a fresh process: weights, input, forward pass"),
        ("latency", "one synchronised call after warm-up"),
        ("macs", "fvcore"),
        ("macs", "ptflops-pytorch"),
        ("macs", "ptflops-aten"),
    ]
    for metric in ("latency", "throughput"):
        found = result.find(metric)
        assert found is not None
        assert found.n == len(found.samples) >= 10
        assert found.low is not None
        assert found.high is not None
        assert 0 < found.low <= found.value <= found.high
    assert {"peak memory", "warm-up", "latency", "throughput", "cross-check by fvcore"} <= set(said)


@pytest.mark.usefixtures("no_process")
def test_counts_are_of_one_image_at_the_input_and_the_classes_asked_for() -> None:
    asked = Profiling(batch_size=3, num_classes=4, input_CHW=(3, 8, 8))
    result = profiling.profile(replace(QUESTION, profiling=asked))
    core, aten = result.find("macs", "core"), result.find("macs", "ptflops-aten")
    assert core is not None
    assert aten is not None
    assert aten.value - core.value == 4  # one bias a class, whatever the batch


@pytest.mark.usefixtures("no_process")
def test_a_peer_that_fails_becomes_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> peers.PeerCount:
        raise ResbenchError("fvcore failed: RuntimeError: no such thing")

    failing = peers.Peer(name="fvcore", package="fvcore", run=fail)
    monkeypatch.setattr(peers, "REQUIRED", (failing, *peers.REQUIRED[1:]))
    result = profiling.profile(QUESTION)
    assert result.find("macs", "fvcore") is None
    assert result.find("macs", "ptflops-aten") is not None
    assert "No cross-check: fvcore failed: RuntimeError: no such thing." in result.notes


def test_memory_that_cannot_be_read_becomes_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> Measurement:
        raise ResbenchError("peak memory: the process ended with exit code 3")

    monkeypatch.setattr(memory, "peak_on_cpu", fail)
    result = profiling.profile(QUESTION)
    assert result.find("peak_memory") is None
    assert "Not measured: peak memory: the process ended with exit code 3." in result.notes


@pytest.mark.usefixtures("no_process")
def test_the_environment_says_how_it_was_run() -> None:
    settings = profiling.profile(replace(QUESTION, precision=Precision.BF16)).environment.settings
    assert settings["precision"] == "bf16 (autocast, entered for each call)"
    assert settings["mode"] == "eval, inference_mode"


@pytest.mark.usefixtures("no_process")
def test_the_environment_holds_the_network_s_fingerprint() -> None:
    ten, seven = (
        profiling.profile(
            replace(QUESTION, profiling=Profiling(batch_size=2, num_classes=classes, input_CHW=(3, 16, 16)))
        ).environment.model
        for classes in (10, 7)
    )
    # Three outputs fewer are 3 x (64 + 1) parameters fewer, and as many MACs without the biases.
    assert int(ten["parameters"]) - int(seven["parameters"]) == 3 * 65
    assert int(ten["core MACs"]) - int(seven["core MACs"]) == 3 * 64
    assert ten["layout"] != seven["layout"]


@pytest.mark.usefixtures("no_process")
@pytest.mark.parametrize(("precision", "allowed"), [(Precision.FP32, False), (Precision.TF32, True)])
def test_tf32_is_on_where_it_was_asked_for_and_there_alone(
    monkeypatch: pytest.MonkeyPatch, precision: Precision, allowed: bool
) -> None:
    """No GPU is needed to see what PyTorch is told."""
    seen: list[tuple[bool, bool]] = []

    def timing() -> profiling.Findings:
        seen.append((torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32))
        return [], []

    monkeypatch.setattr(profiling, "check_precision", lambda *_arguments: None)
    profiling.profile(replace(QUESTION, precision=precision), timing=timing)
    assert seen == [(allowed, allowed)]


@pytest.mark.parametrize(
    ("precision", "dtype"), [(Precision.FP32, torch.float32), (Precision.BF16, torch.bfloat16)]
)
def test_the_timed_call_is_inference_in_the_precision_asked_for(
    precision: Precision, dtype: torch.dtype
) -> None:
    question = replace(QUESTION, precision=precision)
    call = forward(question)
    logits_BK = call()
    assert logits_BK.shape == (2, 10)
    assert logits_BK.dtype == dtype
    assert logits_BK.is_inference()
    assert torch.equal(call(), logits_BK)  # eval mode: running statistics do not move


def forward(question: Experiment) -> Callable[[], Tensor]:
    assert question.profiling is not None
    return profiling._forward(profiling._Asked(question, question.profiling, torch.device("cpu"), ""))


def test_the_seed_decides_weights_and_input_and_leaves_torchs_own_alone() -> None:
    torch.manual_seed(11)
    state = torch.get_rng_state()
    first, again, other = forward(QUESTION)(), forward(QUESTION)(), forward(replace(QUESTION, seed=4))()
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_input_is_normal_noise_and_never_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    class Spy(torch.nn.Module):
        def forward(self, images_BCHW: Tensor) -> Tensor:
            seen.append(images_BCHW)
            return images_BCHW

    monkeypatch.setattr(profiling, "_model", lambda *_arguments: Spy())
    forward(QUESTION)()
    assert seen[0].shape == (2, 3, 16, 16)
    assert (seen[0] == 0).sum() == 0
    assert seen[0].std() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_memory_that_does_not_suffice_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(profiling, "_memory", fail)
    with pytest.raises(
        ResbenchError, match="cifar_plain20 does not fit into the memory of cpu: use a smaller"
    ):
        profiling.profile(QUESTION)


def test_other_failures_of_torch_are_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(profiling, "_memory", fail)
    with pytest.raises(RuntimeError, match="something else"):
        profiling.profile(QUESTION)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "resnet51"}, "unknown model 'resnet51'"),
        ({"device": "gpu"}, "unknown device 'gpu': did you mean cuda"),
        ({"precision": Precision.FP16}, "precision 'fp16' is for GPUs"),
        ({"profiling": Profiling(batch_size=1, num_classes=9, input_CHW=(3, 0, 9))}, "input 3x0x9"),
        ({"profiling": Profiling(batch_size=1, num_classes=0, input_CHW=(3, 9, 9))}, "at least one class"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        profiling.profile(replace(QUESTION, **change))
