"""Whether a case fits into memory, tried in a process of its own: `python -m resbench.trial.fitting` is that process.

On the CPU its data segment (heap, private writable pages; RLIMIT_DATA) is limited, so that it fails instead of the
system; on a GPU the allocator's share is. Memory that does not suffice is an answer; anything else that fails is not.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.batch_search import LIMIT, BatchSearch, largest_batch
from resbench.results import plain
from resbench.trial.case import Case
from resbench.trial.processes import death
from resbench.trial.worker import Answer, failure

SPARED_SHARE: Final = 0.05
"""How much of the memory that the system has left is not touched where no limit is given."""

_STATUS = Path("/proc/self/status")
_MEMINFO = Path("/proc/meminfo")
_MEMORY_WORDS = ("bad_alloc", "Thread creation failed", "allocate memory", "out of memory")


def find_largest_batch(
    case: Case, *, limit_B: int | None = None, start: int = 1, limit: int = LIMIT
) -> BatchSearch:
    """Return the largest batch of the case (whose own batch is ignored) that fits.

    Args:
        case: what is run: inference, or training steps.
        limit_B: bytes that weights, pictures and passes may take; None: what the device, or the machine, has left.
        start: the first batch to try.
        limit: the largest batch to try.

    Raises:
        UsageError: the case itself cannot be had.
        ResbenchError: an attempt fails for another reason than memory.
    """
    return largest_batch(partial(_fits_batch, case, limit_B), start=start, limit=limit)


def _fits_batch(case: Case, limit_B: int | None, batch_size: int) -> bool:
    return fits(replace(case, batch_size=batch_size), limit_B=limit_B)


def fits(case: Case, *, limit_B: int | None = None) -> bool:
    """Return whether the case runs in a fresh process of that memory. See `find_largest_batch`."""
    answer = _answer(case, limit_B)
    if answer.get("error") == "failed" and case.device == "cpu":
        # Libraries that get no memory say all kinds of things, or crash. Does the same case run where no limit holds?
        again = _answer(case, limit_B=0)
        answer = again if again.get("error") == "failed" else {"error": "oom"}
    kind = answer.get("error")
    if kind == "usage":
        raise UsageError(answer["message"])
    if kind == "failed":
        raise ResbenchError(f"batch {case.batch_size}: {answer['message']}")
    return kind is None


def _answer(case: Case, limit_B: int | None) -> Answer:
    threads = str(case.threads)
    done = subprocess.run(
        [sys.executable, "-m", "resbench.trial.fitting"],
        input=json.dumps({"case": plain(case), "limit_B": limit_B}),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for the command
        env={
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )
    if done.returncode == 0:
        answer: Answer = json.loads(done.stdout.splitlines()[-1])
        return answer
    return _ended(done.returncode, done.stderr)


def _ended(code: int, errors: str) -> Answer:
    """Tell a process that memory has ended from one that ended otherwise."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last_words = lines[-1] if lines else ""
    if code in (-signal.SIGABRT, 1) and any(words in errors for words in _MEMORY_WORDS):
        return {"error": "oom", "message": last_words}
    return death(code, last_words)


def main() -> None:
    """Answer one question from standard input."""
    question = json.load(sys.stdin)
    try:
        _run(Case.from_plain(question["case"]), question["limit_B"])
        answer: Answer = {}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told; it decides
        answer = failure(error)
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def _run(case: Case, limit_B: int | None) -> None:
    import torch

    from resbench.trial.live import live

    torch.set_num_threads(case.threads)
    if case.device == "cpu":
        _load_libraries()
        _limit_data(available_bytes() if limit_B is None else limit_B)
    elif limit_B is not None:
        total_B = torch.cuda.get_device_properties(case.device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit_B / total_B), case.device)
    # Calibrating would need memory for its own pictures.
    with contextlib.redirect_stdout(sys.stderr), live(case, calibrated=False) as opened:
        opened.call()
        if case.mode == "training":
            opened.call()  # the second step holds the first one's momentum beside new activations and gradients
        opened.stopwatch.synchronise()


def _load_libraries() -> None:
    """Take a training step of a tiny network: code of kernels and stacks of threads are no part of the case."""
    from torch import nn, optim, randn

    tiny = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2))
    step = optim.SGD(tiny.parameters(), lr=0.0, momentum=0.9)
    tiny(randn(2, 3, 8, 8)).sum().backward()
    step.step()


def _limit_data(growth_B: int) -> None:
    """Let this process grow by so much; 0: without limit, but as the first that the system ends when memory is out."""
    if not growth_B:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        return
    limit = _field(_STATUS, "VmData") + growth_B
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def available_bytes() -> int:
    """Return what a search without a limit lets a process take on the CPU: most of what the system has left.

    Raises:
        ResbenchError: the system is no Linux.
    """
    return int(_field(_MEMINFO, "MemAvailable") * (1 - SPARED_SHARE))


def _field(file: Path, name: str) -> int:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise ResbenchError(f"a batch that fits is searched on Linux only, which has {file}") from error
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(values[name].split()[0]) * 1024


if __name__ == "__main__":
    main()
