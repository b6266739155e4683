"""The parent's side of the measuring processes: start them, ask them, end them, and say how one died."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from resbench.trial.worker import THREADS, Answer

_MODULE = "resbench.trial.worker"
_SPINS = "10000"
"""How long GNU OpenMP's threads wait awake for the next parallel region: some 0.2 ms, longer than any gap within a call.

By default it is some 7 ms, during which the threads of a process that has just finished keep the cores from the next
one. Measured on two cores of an AMD EPYC: ResNet-18 in turns with another process takes 38 ms by default, 27 ms so, and
26 ms alone.
"""


class Worker(Protocol):
    """A measuring process, or in tests what stands for one."""

    ready: Answer

    def ask(self, command: Mapping[str, Any]) -> Answer:
        """Return the answer to a command; one with an `error` where it failed or the process is gone."""

    def close(self) -> None:
        """End it at once."""


class WorkerProcess:
    """One process, which has imported torch and waits, once `wait` has returned.

    It leads a process group of its own: Ctrl-C reaches only us, and we end all that it has started.

    Args:
        threads: how many it computes with, each on a core of its own as far as there are as many.
    """

    def __init__(self, threads: int) -> None:
        self.ready: Answer = {}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        count = str(threads)
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
            env={
                "GOMP_SPINCOUNT": _SPINS,
                **os.environ,
                THREADS: count,
                "OMP_NUM_THREADS": count,
                "MKL_NUM_THREADS": count,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )

    def wait(self) -> None:
        """Wait until it has imported torch."""
        self.ready = self._answer()

    def ask(self, command: Mapping[str, Any]) -> Answer:
        """Send a command and sleep until its answer is there."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return self._death()
        return self._answer()

    def close(self) -> None:
        """Kill it and all that it has started, and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            return self._death()
        answer: Answer = json.loads(line)
        return answer

    def _death(self) -> Answer:
        return death(self._process.wait(), self._last_words())

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def death(code: int, last_words: str) -> Answer:
    """Return what is said of a process that ended by itself: killed by the system means that memory ran out."""
    if code == -signal.SIGKILL:
        return {"error": "oom", "message": "the system killed the process: its memory ran out"}
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return {
        "error": "failed",
        "message": f"the process ended {how}" + (f": {last_words}" if last_words else ""),
    }


class Workers:
    """Starts processes several at a time, while nothing is measured, and ends whatever is left at the end."""

    def __init__(self) -> None:
        self._all: list[WorkerProcess] = []

    def __call__(self, threads: Sequence[int]) -> list[Worker]:
        """Start one process for each number of threads, and return them when all wait for commands."""
        started = []
        for count in threads:
            started.append(WorkerProcess(count))
            self._all.append(started[-1])
        for worker in started:
            worker.wait()
        return list(started)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._all:
            worker.close()
