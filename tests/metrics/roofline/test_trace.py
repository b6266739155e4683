import gzip
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.roofline.trace import check_trace_file, read_trace, write_trace

CPU = torch.device("cpu")


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_trace_holds_passes_modules_and_operators(model: nn.Module, tmp_path: Path, name: str) -> None:
    images = torch.randn(1, 3, 8, 8)

    def call() -> Tensor:
        with torch.inference_mode():
            output: Tensor = model(images)
            return output

    traced = write_trace(tmp_path / name, model, call, CPU, calls=2)
    # Two passes through the sequence and its two modules.
    assert (traced.passes, traced.modules, traced.kernels) == (2, 2 * 3, 0)
    assert traced.file == tmp_path / name
    assert [file.name for file in tmp_path.iterdir()] == [name]
    content = (tmp_path / name).read_bytes()
    events = json.loads(gzip.decompress(content) if name.endswith("gz") else content)["traceEvents"]
    names = {event["name"] for event in events}
    assert {"aten::conv2d", "aten::relu", "module: 0", "module: 1", "resbench: forward pass"} <= names
    # What Perfetto needs of a slice: a begin and a length in microseconds, a process and a thread.
    slices = [event for event in events if event.get("ph") == "X"]
    assert slices
    assert all({"ts", "dur", "pid", "tid"} <= set(event) for event in slices)


@pytest.mark.parametrize("name", ["trace.txt", "trace", "missing/trace.json"])
def test_name_that_is_none_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        check_trace_file(tmp_path / name)


def test_file_that_is_no_trace(tmp_path: Path) -> None:
    for name, content in (
        ("a.json", b"[1]"),
        ("b.json", b"{"),
        ("c.json.gz", b"no gzip"),
        ("d.json", b'{"a":1}'),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ResbenchError, match="is not a trace"):
            read_trace(tmp_path / name)


def test_kernels_of_a_gpu_are_counted(tmp_path: Path) -> None:
    events = [
        {"cat": "user_annotation", "name": "resbench: forward pass"},
        {"cat": "user_annotation", "name": "module: conv1"},
        {"cat": "gpu_user_annotation", "name": "module: conv1"},
        {"cat": "cpu_op", "name": "aten::conv2d"},
        {"cat": "kernel", "name": "implicit_gemm"},
        {"ph": "M", "name": "process_name"},
    ]
    file = tmp_path / "gpu.json"
    file.write_text(json.dumps({"traceEvents": events}))
    traced = read_trace(file)
    assert (traced.passes, traced.modules, traced.operators, traced.kernels) == (1, 1, 1, 1)
