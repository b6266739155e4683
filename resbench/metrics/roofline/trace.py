"""A trace of forward passes that Perfetto and Chrome show: modules, operators, and a GPU's kernels on one time line."""

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.autograd.profiler import record_function

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.roofline.operators import FORWARD, MODULE, marked, watching


class Traced(NamedTuple):
    """What a trace holds."""

    file: Path
    passes: int
    modules: int
    operators: int
    kernels: int


def check_trace_file(file: Path) -> Path:
    """Return the file, if a trace can be written there; to be asked before anything is measured.

    Raises:
        UsageError: its name is not that of a trace, or its folder is not there.
    """
    if not file.name.endswith((".json", ".json.gz")):
        raise UsageError(f"'{file}' is not the name of a trace: give one that ends in .json or .json.gz")
    if file.is_dir() or not file.parent.is_dir():
        raise UsageError(f"no trace can be written to '{file}': give a file in a folder that exists")
    return file


def write_trace(
    file: Path, module: nn.Module, call: Callable[[], object], device: torch.device, *, calls: int = 3
) -> Traced:
    """Write a trace of a few forward passes and return what it holds, read back from the file. Warm up before.

    Raises:
        UsageError: it can't be written there.
        ResbenchError: what was written is no trace of these passes.
    """
    check_trace_file(file)
    with marked(module), watching(device) as profiler:
        for _ in range(calls):
            with record_function(FORWARD):
                call()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix="trace-") as scratch:
            written = Path(scratch) / file.name
            profiler.export_chrome_trace(str(written))
            traced = read_trace(written)
            written.replace(file)
    except OSError as error:
        raise UsageError(f"no trace can be written to '{file}': {error}") from error
    if traced.passes != calls:
        raise ResbenchError(
            f"the trace holds {traced.passes} of {calls} passes: the profiler lost the others"
        )
    return traced._replace(file=file)


def read_trace(file: Path) -> Traced:
    """Return what a trace holds.

    Raises:
        ResbenchError: it is not a trace.
    """
    try:
        content = file.read_bytes()
        data: Any = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
        events = [(event.get("cat", ""), event.get("name", "")) for event in data["traceEvents"]]
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, gzip.BadGzipFile) as error:
        raise ResbenchError(f"{file} is not a trace: {error}") from error
    marks = [name for category, name in events if category == "user_annotation"]
    return Traced(
        file,
        marks.count(FORWARD),
        sum(str(name).startswith(MODULE) for name in marks),
        sum(category == "cpu_op" for category, _ in events),
        sum(category == "kernel" for category, _ in events),
    )
