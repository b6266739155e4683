"""Each runtime on a small network against eager, and what each must refuse."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.models.agreement import check_output, reference_of
from resbench.models.backends import BackendOptions, Prepared, find_backend, openvino, prepare
from resbench.models.backends.compiled import _is_missing_compiler
from resbench.models.calibration import calibrate, random_pictures
from resbench.models.exporting import export_onnx
from resbench.specs import Precision

CHW = (3, 16, 16)
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


needs_onnx = needs("onnx", "onnxscript")
needs_onnxruntime = needs("onnx", "onnxscript", "onnxruntime")
needs_openvino = needs("onnx", "onnxscript", "openvino")


class Residual(nn.Module):
    """Two convolutions around which the input goes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.body = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 10)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        values = torch.relu(self.norm(self.stem(images_BCHW)))
        values = torch.relu(values + self.body(values))
        logits_BK: Tensor = self.head(values.mean(dim=(2, 3)))
        return logits_BK


def network() -> nn.Module:
    torch.manual_seed(0)
    module = Residual()
    calibrate(module, CHW)
    return module


def has_bf16() -> bool:
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text(encoding="ascii", errors="ignore")


bf16 = pytest.mark.skipif(not has_bf16(), reason="this CPU has no bf16")


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(
    ("name", "precision"),
    [
        pytest.param("onnxruntime", Precision.FP32, marks=needs_onnxruntime),
        pytest.param("openvino", Precision.FP32, marks=needs_openvino),
        pytest.param("openvino", Precision.BF16, marks=[needs_openvino, bf16]),
    ],
)
def test_a_runtime_agrees_with_eager(name: str, precision: Precision, batch_size: int) -> None:
    module, options = network(), BackendOptions(precision=precision)
    reference = reference_of(module, CHW, options)
    prepared = prepare(find_backend(name), module, random_pictures((batch_size, *CHW), 0), options)
    agreement = check_output(name, prepared, reference, batch_size)
    assert agreement.ok
    assert agreement.conclusive
    assert prepared.compile_s > 0
    assert "1 intra-op" in prepared.settings[name] or "1 threads" in prepared.settings[name]
    assert prepared.versions[name]


@needs_compiler
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("compile", BackendOptions()),
        ("compile-frozen", BackendOptions(precision=Precision.BF16, memory_format="channels_last")),
    ],
    ids=["compile", "compile-frozen"],
)
def test_a_compiled_network_agrees_with_eager(
    name: str, options: BackendOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    module = network()
    reference = reference_of(module, CHW, options)
    prepared = prepare(find_backend(name), module, random_pictures((2, *CHW), 0), options)
    assert check_output(name, prepared, reference, 2).ok
    assert prepared.compile_s > 0
    assert prepared.settings["compile cache"] == "cold"
    frozen = "on" if name == "compile-frozen" else "off"
    assert prepared.settings["compile"] == f"Inductor, static shapes, freezing {frozen}"


@needs_compiler
def test_a_compiled_training_step_has_eager_s_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    options, images_BCHW = BackendOptions(training=True), random_pictures((2, *CHW), 0)
    found = [_gradients(name, images_BCHW, options) for name in ("eager", "compile")]
    for eager, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, eager, rtol=1e-4, atol=1e-5)


def _gradients(name: str, images_BCHW: Tensor, options: BackendOptions) -> list[Tensor]:
    prepared = prepare(find_backend(name), network(), images_BCHW, options)
    module = prepared.module
    assert module is not None
    assert all(value.grad is None for value in module.parameters())
    prepared.call(prepared.place(images_BCHW)).square().sum().backward()
    return [value.grad for value in module.parameters() if value.grad is not None]


def test_a_missing_compiler_is_found_among_the_causes() -> None:
    class InvalidCxxCompiler(RuntimeError): ...  # noqa: N818 - as PyTorch calls it

    wrapped = RuntimeError("backend='inductor' raised")
    wrapped.__cause__ = InvalidCxxCompiler("No working C++ compiler found")
    assert _is_missing_compiler(wrapped)
    assert not _is_missing_compiler(RuntimeError("no such operator"))


def test_a_missing_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from torch._inductor import config, cpp_builder

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    cpp_builder.cpp_compiler_search.cache_clear()
    try:
        with pytest.raises(
            ResbenchError, match=r"^backend 'compile' needs a C\+\+ compiler: install g\+\+, or"
        ):
            prepare(find_backend("compile"), network(), random_pictures((1, *CHW), 0), BackendOptions())
    finally:
        cpp_builder.cpp_compiler_search.cache_clear()


@needs_compiler
def test_what_fails_in_the_first_call_is_one_line() -> None:
    module = nn.Linear(3, 2)  # of which pictures are no input
    with pytest.raises(ResbenchError, match=r"^backend 'compile' fails on this network: [^\n]+$"):
        prepare(find_backend("compile"), module, random_pictures((1, *CHW), 0), BackendOptions())


@needs_onnx
def test_what_cannot_be_exported_is_one_line(tmp_path: Path) -> None:
    class Branching(nn.Module):
        def forward(self, images_BCHW: Tensor) -> Tensor:
            return images_BCHW if images_BCHW.sum() > 0 else -images_BCHW

    with pytest.raises(ResbenchError, match=r"^this network cannot be exported to ONNX: [^\n]+$"):
        export_onnx(Branching(), torch.ones(1, *CHW), tmp_path / "model.onnx")


class Operation:
    """In place of an operation of OpenVINO's runtime model."""

    def __init__(self, kind: str, precision: str) -> None:
        self._info = {"layerType": kind, "runtimePrecision": precision}

    def get_rt_info(self) -> dict[str, str]:
        return self._info


class Compiled:
    """In place of a network that OpenVINO compiled."""

    def __init__(self, *operations: Operation) -> None:
        self._operations = operations

    def get_runtime_model(self) -> Any:
        return self

    def get_ordered_ops(self) -> tuple[Operation, ...]:
        return self._operations


F32 = (Operation("Convolution", "f32"), Operation("Reorder", "bf16"))
MIXED = (Operation("Convolution", "f32"), Operation("FullyConnected", "bf16"))


def test_another_precision_than_asked_for_is_refused() -> None:
    with pytest.raises(ResbenchError, match="was asked for bf16 and runs 1 products in f32"):
        openvino._check_precision(Compiled(*F32), Precision.BF16)
    with pytest.raises(
        ResbenchError, match="was asked for f32 and runs 1 products in bf16, 1 products in f32"
    ):
        openvino._check_precision(Compiled(*MIXED), Precision.FP32)
    openvino._check_precision(Compiled(*F32), Precision.FP32)
    openvino._check_precision(Compiled(*MIXED), Precision.BF16)


def test_bf16_without_instructions_for_it_is_refused() -> None:
    class Core:
        def get_property(self, _device: str, _name: str) -> list[str]:
            return ["FP32", "INT8"]

    with pytest.raises(UsageError, match="'openvino' has no bf16 on this CPU"):
        openvino._check_capability(Core(), Precision.BF16)
    openvino._check_capability(Core(), Precision.FP32)


@needs_openvino
def test_results_of_openvino_outlive_the_next_call() -> None:
    prepared: Prepared = prepare(
        find_backend("openvino"), network(), random_pictures((1, *CHW), 0), BackendOptions()
    )
    first_BK = prepared.call(random_pictures((1, *CHW), 1))
    kept_BK = first_BK.clone()
    prepared.call(random_pictures((1, *CHW), 2))
    assert torch.equal(first_BK, kept_BK)
