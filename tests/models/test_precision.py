import pytest
import torch

from resbench.errors import UsageError
from resbench.models.precision import (
    autocast,
    check_precision,
    float32_as,
    in_words,
    whole_dtype,
    without_tf32,
)
from resbench.specs import Precision

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(UsageError, match="precision 'fp16' is for GPUs: on a CPU use bf16 or fp32"):
        check_precision(Precision.FP16, CPU)


def test_tf32_on_a_cpu_is_refused() -> None:
    with pytest.raises(UsageError, match="precision 'tf32' is for NVIDIA GPUs: on a CPU use bf16 or fp32"):
        check_precision(Precision.TF32, CPU)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_a_cpu_has_the_others(precision: Precision) -> None:
    check_precision(precision, CPU)


def test_bf16_needs_an_ampere_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "Tesla V100")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (7, 0))
    with pytest.raises(UsageError, match="precision 'bf16' is not supported by Tesla V100: use fp16 or fp32"):
        check_precision(Precision.BF16, CUDA)
    check_precision(Precision.FP16, CUDA)
    with pytest.raises(UsageError, match="precision 'tf32' is not supported by Tesla V100: use fp16 or fp32"):
        check_precision(Precision.TF32, CUDA)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (8, 0))
    check_precision(Precision.BF16, CUDA)
    check_precision(Precision.TF32, CUDA)
    monkeypatch.setattr(torch.version, "hip", "6.0")
    with pytest.raises(UsageError, match="precision 'tf32' is not supported"):
        check_precision(Precision.TF32, CUDA)


@pytest.mark.parametrize(
    ("precision", "dtype"), [(Precision.FP32, torch.float32), (Precision.BF16, torch.bfloat16)]
)
def test_a_forward_pass_computes_in_its_precision(precision: Precision, dtype: torch.dtype) -> None:
    layer = torch.nn.Linear(4, 4)
    with autocast(precision, CPU):
        assert layer(torch.randn(2, 4)).dtype == dtype
    assert layer.weight.dtype == torch.float32


def test_tf32_is_off_inside_and_as_before_outside() -> None:
    def state() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    before = state()

    def fail() -> None:
        with without_tf32():
            assert state() == (False, False)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert state() == before
    assert before[0]  # torch's default, without which this test could not fail


def test_tf32_is_on_inside_where_it_was_asked_for() -> None:
    with without_tf32():
        with float32_as(Precision.TF32):
            assert torch.backends.cudnn.allow_tf32
            assert torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32


def test_only_short_types_make_a_whole_model_of_them() -> None:
    assert whole_dtype(Precision.BF16) == torch.bfloat16
    assert whole_dtype(Precision.FP16) == torch.float16
    assert whole_dtype(Precision.TF32) == whole_dtype(Precision.FP32) == torch.float32


@pytest.mark.parametrize(
    ("precision", "whole_model", "device", "words"),
    [
        (Precision.FP32, False, CPU, "fp32"),
        (Precision.FP32, False, CUDA, "fp32 (TF32 off)"),
        (Precision.TF32, False, CUDA, "tf32 (TF32 on)"),
        (Precision.BF16, False, CPU, "bf16 (autocast, entered for each call)"),
        (Precision.FP16, True, CUDA, "fp16 (whole model)"),
    ],
)
def test_the_arithmetic_is_named(
    precision: Precision, whole_model: bool, device: torch.device, words: str
) -> None:
    assert in_words(precision, whole_model=whole_model, device=device) == words
