import pytest
import torch

from resbench.errors import UsageError
from resbench.models.devices import resolve_device


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_a_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_cuda_is_the_first_gpu_or_the_one_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 2)
    assert resolve_device("cuda") == torch.device("cuda", 0)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.parametrize(
    ("built", "reason"), [("13.0", "finds no usable GPU"), (None, "is built without CUDA")]
)
def test_without_cuda_nothing_else_is_taken(
    monkeypatch: pytest.MonkeyPatch, built: str | None, reason: str
) -> None:
    with_gpus(monkeypatch, 0)
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(
        UsageError, match=rf"device 'cuda' is not there: torch \S+ {reason}; use --device cpu"
    ):
        resolve_device("cuda")


@pytest.mark.parametrize(("count", "there"), [(1, "only cuda:0"), (4, "cuda:0 to cuda:3")])
def test_a_number_too_high_is_told_what_there_is(
    monkeypatch: pytest.MonkeyPatch, count: int, there: str
) -> None:
    with_gpus(monkeypatch, count)
    with pytest.raises(UsageError, match=f"device 'cuda:7' is not there: this machine has {there}"):
        resolve_device("cuda:7")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpu", "cuda"),
        ("GPU:1", "cuda:1"),
        ("cude", "cuda"),
        ("CUDA", "cuda"),
        ("cpus", "cpu"),
        ("cuda:", "cuda"),
    ],
)
def test_an_unknown_name_gets_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"unknown device '{typed}': did you mean .*{meant}"):
        resolve_device(typed)


@pytest.mark.parametrize("typed", ["", "tpu9000", "cuda:-1", "cuda:1x", "mps"])
def test_what_is_no_device_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="unknown device"):
        resolve_device(typed)
