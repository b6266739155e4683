"""Memory measured in a fresh process, asked from this one. No torch."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from resbench.errors import ResbenchError
from resbench.metrics.memory.heap import Purpose
from resbench.metrics.memory.workload import Workload

_TIMEOUT_S = 600


class DoesNotFit(ResbenchError):  # noqa: N818 - a finding as much as an error
    """The memory of the device or of the machine did not suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Bytes, as a fresh process found them.

    Attributes:
        parts: what each stage of a first step added. Buffers are counted with the weights.
        peak: the most that was in use at once, over all.
        method: how it was read.
    """

    parts: Mapping[Purpose, int]
    peak: int
    method: str


def measure(workload: Workload) -> Measured:
    """Return the memory that a workload takes in a fresh process.

    Raises:
        DoesNotFit: memory ran out.
        ResbenchError: the process fails, or the system does not say what its peak was.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "resbench.metrics.memory"],
            input=workload.to_json(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            start_new_session=True,  # Ctrl-C is for the command, which stops when this is done
            env={
                **os.environ,
                "OMP_NUM_THREADS": str(workload.threads),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
    except subprocess.TimeoutExpired as error:
        raise ResbenchError(f"peak memory: the process took longer than {_TIMEOUT_S} s") from error
    if done.returncode == -signal.SIGKILL:
        raise DoesNotFit("peak memory: the system killed the process: its memory ran out")
    if done.returncode:
        raise ResbenchError(f"peak memory: the process ended with {_last(done)}")
    return _read(json.loads(done.stdout), workload)


def _read(answer: Mapping[str, object], workload: Workload) -> Measured:
    if answer.get("out_of_memory"):
        raise DoesNotFit(
            f"peak memory: {workload.model} at batch {workload.batch_size} does not fit into the memory of {workload.device}"
        )
    parts, peak = answer["parts"], answer["peak"]
    assert isinstance(parts, dict)
    assert isinstance(peak, int)
    return Measured(
        parts={Purpose(name): size_B for name, size_B in parts.items()},
        peak=peak,
        method=str(answer["method"]),
    )


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return f"exit code {done.returncode}" + (f": {lines[-1].strip()}" if lines else "")
