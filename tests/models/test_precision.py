import pytest
import torch

from resbench.errors import UsageError
from resbench.models.precision import autocast, check_precision, without_tf32
from resbench.specs import Precision

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(UsageError, match="precision 'fp16' is for GPUs: on a CPU use bf16 or fp32"):
        check_precision(Precision.FP16, CPU)


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
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (8, 0))
    check_precision(Precision.BF16, CUDA)


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
