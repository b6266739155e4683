"""ONNX Runtime on the CPU. Its kernels there know float32 only, so that no other precision is offered."""

import importlib
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.models.backends.description import CONTIGUOUS, Backend, BackendOptions, Prepared
from resbench.models.exporting import INPUT, NEEDS, OUTPUT, export_onnx
from resbench.specs import Precision

_PROVIDER = "CPUExecutionProvider"


def _prepare(module: nn.Module, images_BCHW: Tensor, options: BackendOptions) -> Prepared:
    runtime = importlib.import_module("onnxruntime")
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="resbench-onnx-") as folder:
        file = Path(folder) / "model.onnx"
        export_onnx(module, images_BCHW, file)
        exported = time.perf_counter()
        session = _session(runtime, file, options.threads)
    built = time.perf_counter()

    def call(images_BCHW: Tensor) -> Tensor:
        (logits_BK,) = session.run([OUTPUT], {INPUT: images_BCHW.numpy()})
        return torch.from_numpy(logits_BK)

    return Prepared(
        call=call,
        place=Tensor.contiguous,
        compile_s=built - begin,
        settings={
            "precision": Precision.FP32.value,
            "onnxruntime": f"{_PROVIDER}, {options.threads} intra-op, 1 inter-op threads, all optimisations",
        },
        versions={name: importlib.import_module(name).__version__ for name in ("onnxruntime", *NEEDS)},
        notes=(f"Export took {exported - begin:.1f} s, making the session {built - exported:.1f} s.",),
    )


def _session(runtime: Any, file: Path, threads: int) -> Any:
    wanted = runtime.SessionOptions()
    wanted.intra_op_num_threads = threads
    wanted.inter_op_num_threads = 1
    wanted.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    wanted.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    wanted.log_severity_level = 3  # errors: what it warns of is raised by our own check of its output
    try:
        return runtime.InferenceSession(str(file), wanted, providers=[_PROVIDER])
    except Exception as error:  # its errors share no class below Exception
        line = str(error).splitlines()[0]
        raise ResbenchError(f"backend 'onnxruntime' cannot load this network: {line}") from error


BACKEND = Backend(
    name="onnxruntime",
    summary="ONNX Runtime",
    prepare=_prepare,
    needs=("onnxruntime", *NEEDS),
    extra="onnxruntime",
    devices=("cpu",),
    precisions=(Precision.FP32,),
    memory_formats=(CONTIGUOUS,),
    whole_model=False,
)
