"""What every backend is held to, by name; `test_runtimes.py` runs them."""

import importlib.util
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from resbench.errors import UsageError
from resbench.models.backends import BackendOptions, backends, check_options, find_backend, prepare
from resbench.models.precision import float32_as
from resbench.specs import Precision

ROOT = Path(__file__).resolve().parents[3]
CUDA = torch.device("cuda", 0)


@pytest.fixture
def all_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())


def test_eager_comes_first_and_every_backend_has_a_line() -> None:
    names = [backend.name for backend in backends()]
    assert names == ["eager", "compile", "compile-frozen", "onnxruntime", "openvino"]
    assert all(backend.summary and "\n" not in backend.summary for backend in backends())


def test_an_extra_installs_what_its_backend_needs() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for backend in backends():
        if backend.needs:
            packages = {requirement.partition(">=")[0] for requirement in extras[backend.extra]}
            assert set(backend.needs) <= packages


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown backend 'openvin': did you mean openvino"):
        find_backend("openvin")


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else object())
    with pytest.raises(UsageError) as caught:
        find_backend("openvino")
    assert str(caught.value) == (
        "backend 'openvino' needs openvino, not installed here: pip install \"resbench[openvino]\""
    )
    assert find_backend("onnxruntime").name == "onnxruntime"


@pytest.mark.usefixtures("all_installed")
@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("onnxruntime", {"device": CUDA}, "'onnxruntime' runs on cpu only, not on cuda:0"),
        ("onnxruntime", {"precision": Precision.BF16}, "'onnxruntime' computes in fp32 only, not in bf16"),
        ("openvino", {"precision": Precision.FP16}, "'openvino' computes in fp32, bf16 only, not in fp16"),
        ("openvino", {"memory_format": "channels_last"}, "'openvino' chooses its own layout"),
        (
            "openvino",
            {"precision": Precision.BF16, "whole_model": True},
            "'openvino' itself chooses where bf16 is used: leave out the whole-model option",
        ),
        ("onnxruntime", {"training": True}, "has no training step: use eager or compile$"),
        ("compile-frozen", {"training": True}, "'compile-frozen' has no training step"),
        ("eager", {"whole_model": True}, "a whole model in fp32 is plain fp32"),
        ("eager", {"precision": Precision.TF32}, "'tf32' is for NVIDIA GPUs"),
        ("eager", {"precision": Precision.FP16}, "'fp16' is for GPUs"),
    ],
)
def test_what_a_backend_has_not_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_options(find_backend(name), replace(BackendOptions(), **changes))


@pytest.mark.usefixtures("all_installed")
@pytest.mark.parametrize("backend", backends(), ids=lambda backend: backend.name)
def test_every_backend_takes_what_it_says(backend: Any) -> None:
    for precision in set(backend.precisions) & {Precision.FP32, Precision.BF16}:
        for memory_format in backend.memory_formats:
            check_options(backend, BackendOptions(precision=precision, memory_format=memory_format))


def test_float32_on_a_gpu_is_prepared_only_where_tf32_is_set_as_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (8, 0))
    monkeypatch.setattr(torch.version, "hip", None)
    options = BackendOptions(device=CUDA, precision=Precision.FP32)
    with (
        float32_as(Precision.TF32),
        pytest.raises(ValueError, match="prepare and measure on CUDA inside of float32_as"),
    ):
        prepare(find_backend("eager"), nn.Identity(), torch.ones(1, 3, 4, 4), options)
