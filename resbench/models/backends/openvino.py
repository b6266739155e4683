"""OpenVINO on the CPU. It is told its precision, and what it then runs is looked up: left alone it chooses bf16 by itself.

Networks reach it as ONNX: its own converter of PyTorch models reports each use to its makers over the network.
"""

import importlib
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.models.backends.description import CONTIGUOUS, Backend, BackendOptions, Prepared
from resbench.models.exporting import NEEDS, export_onnx
from resbench.specs import Precision

_DEVICE: Final = "CPU"
_HINTS: Final = {Precision.FP32: "f32", Precision.BF16: "bf16"}
_PRODUCTS: Final = {"Convolution", "FullyConnected", "MatMul", "GroupConvolution"}


def _prepare(module: nn.Module, images_BCHW: Tensor, options: BackendOptions) -> Prepared:
    runtime = importlib.import_module("openvino")
    core = runtime.Core()
    _check_capability(core, options.precision)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="resbench-openvino-") as folder:
        file = Path(folder) / "model.onnx"
        export_onnx(module, images_BCHW, file)
        exported = time.perf_counter()
        compiled = _compiled(core, file, options)
    built = time.perf_counter()
    _check_precision(compiled, options.precision)
    request = compiled.create_infer_request()

    def call(images_BCHW: Tensor) -> Tensor:
        request.set_input_tensor(runtime.Tensor(images_BCHW.numpy(), shared_memory=True))
        request.infer()
        # The request owns its result, and writes the next one over it.
        return torch.from_numpy(request.get_output_tensor(0).data.copy())

    return Prepared(
        call=call,
        place=Tensor.contiguous,
        compile_s=built - begin,
        settings=_settings(compiled, options),
        versions={
            "openvino": runtime.__version__,
            **{name: importlib.import_module(name).__version__ for name in NEEDS},
        },
        notes=(f"Export took {exported - begin:.1f} s, compiling {built - exported:.1f} s.",),
    )


def _check_capability(core: Any, precision: Precision) -> None:
    """Refuse bf16 on a CPU without instructions for it, where OpenVINO would go on in float32."""
    able = core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    if precision is Precision.BF16 and "BF16" not in able:
        raise UsageError(
            "backend 'openvino' has no bf16 on this CPU, which lacks AVX512-BF16 and AMX: use fp32"
        )


def _compiled(core: Any, file: Path, options: BackendOptions) -> Any:
    wanted = {
        "INFERENCE_PRECISION_HINT": _HINTS[options.precision],
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(options.threads),
    }
    try:
        core.set_property({"ENABLE_MMAP": False})  # the file is gone before the network is
        return core.compile_model(core.read_model(file), _DEVICE, wanted)
    except RuntimeError as error:
        line = [line.strip() for line in str(error).splitlines() if line.strip()][-1]
        raise ResbenchError(f"backend 'openvino' cannot compile this network: {line}") from error


def _check_precision(compiled: Any, precision: Precision) -> None:
    """Refuse a compiled network whose products are computed in another precision than the one asked for."""
    wanted = _HINTS[precision]
    found = _precisions(compiled)
    if found and wanted not in found:
        raise ResbenchError(f"backend 'openvino' was asked for {wanted} and runs {_told(found)}")
    if precision is Precision.FP32 and set(found) - {wanted}:
        raise ResbenchError(f"backend 'openvino' was asked for {wanted} and runs {_told(found)}")


def _precisions(compiled: Any) -> Counter[str]:
    """Return how many products (convolutions, matrices) are computed in which precision, by what will be run."""
    infos = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ordered_ops()]
    kinds = [{key: str(_value(info, key)) for key in ("layerType", "runtimePrecision")} for info in infos]
    return Counter(kind["runtimePrecision"].lower() for kind in kinds if kind["layerType"] in _PRODUCTS)


def _value(info: Any, key: str) -> Any:
    found = info[key] if key in info else ""  # noqa: SIM401 - it is no dict, and has no get
    return getattr(found, "value", found)


def _told(found: Counter[str]) -> str:
    return ", ".join(f"{times} products in {name}" for name, times in sorted(found.items()))


def _settings(compiled: Any, options: BackendOptions) -> dict[str, str]:
    threads = compiled.get_property("INFERENCE_NUM_THREADS")
    if threads != options.threads:
        raise ResbenchError(f"backend 'openvino' was asked for {options.threads} threads and uses {threads}")
    pinned = compiled.get_property("ENABLE_CPU_PINNING")
    words = {Precision.FP32: "fp32", Precision.BF16: "bf16 (where OpenVINO uses it; float32 in and out)"}
    return {
        "precision": words[options.precision],
        "openvino": f"{_DEVICE}, {threads} threads{', pinned' if pinned else ''}, 1 stream, latency hint, "
        f"{_told(_precisions(compiled))}",
    }


BACKEND = Backend(
    name="openvino",
    summary="OpenVINO",
    prepare=_prepare,
    needs=("openvino", *NEEDS),
    extra="openvino",
    devices=("cpu",),
    precisions=tuple(_HINTS),
    memory_formats=(CONTIGUOUS,),
    whole_model=False,
)
