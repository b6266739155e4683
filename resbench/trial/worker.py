"""The measuring process: `python -m resbench.trial.worker` measures one case, alone, on the commands of its parent.

Commands are JSON objects, a line each, on standard input; each is answered by one line. While it has nothing to do it
waits in a read, and its parent waits in a read while it measures: neither spins. It ends with its standard input.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from resbench.errors import ResbenchError, UsageError
from resbench.trial.case import Case

if TYPE_CHECKING:
    from resbench.trial.live import Live

_OPENMP = ("eager", "compile", "compile-frozen")
"""Backends that compute with torch's OpenMP threads."""
_PARENT_DEATH = 1
"""PR_SET_PDEATHSIG of prctl(2)."""

THREADS = "RESBENCH_THREADS"
"""The environment variable by which the parent says how many threads the process computes with."""

Answer = dict[str, Any]


def main() -> None:
    """Answer commands until standard input ends."""
    _end_with_parent()
    answers = _own_stdout()
    threads = int(os.environ[THREADS])
    cores = _stay_on(threads)
    _bind_threads(cores)
    begin = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    ready = {"ready_s": time.perf_counter() - begin, "cores": cores, "threads": torch.get_num_threads()}
    _say(answers, {**ready, "bound": len(cores) > 1 and os.environ["OMP_PROC_BIND"].lower() == "true"})
    with contextlib.ExitStack() as stack:
        serve(sys.stdin, answers, stack, cores)


def serve(commands: IO[str], answers: IO[str], stack: contextlib.ExitStack, cores: Sequence[int]) -> None:
    """Answer each line of `commands` by one line; `stack` holds what the opened case needs until the end."""
    opened: Live | None = None
    for line in commands:
        command = json.loads(line)
        try:
            if command["do"] == "open":
                from resbench.trial.live import live

                case = Case.from_plain(command["case"])
                with _all_cores(cores, back=case.backend in _OPENMP):
                    opened = stack.enter_context(live(case, check=command["check"]))
                answer = _opened(opened)
            elif command["do"] == "pace":
                answer = _pace(command)
            elif opened is not None:
                answer = _COMMANDS[command["do"]](opened, command)
            else:
                answer = {"error": "failed", "message": "no case was opened"}
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told; it decides
            answer = failure(error)
        _say(answers, {**answer, "cpu_s": time.process_time()})


def failure(error: BaseException) -> Answer:
    """Return what the parent is told of an error: its kind (`oom`, `usage`, `failed`) and one line."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if isinstance(error, UsageError):
        return {"error": "usage", "message": text}
    if _is_memory(error):
        return {"error": "oom", "message": text}
    if isinstance(error, ResbenchError):
        return {"error": "failed", "message": text}
    return {"error": "failed", "message": f"{type(error).__name__}: {text}"}


def _is_memory(error: BaseException | None) -> bool:
    """Look for it among the causes, too: runtimes wrap it. The CPU's allocator of torch has no class of its own."""
    while error is not None:
        words = str(error)
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return True
        if "allocate memory" in words or "CUDA out of memory" in words:
            return True
        error = error.__cause__
    return False


def _opened(opened: "Live") -> Answer:
    return {
        "cold": asdict(opened.cold),
        "settings": opened.settings,
        "versions": opened.versions,
        "notes": list(opened.notes),
        "agreement": opened.agreement,
    }


def _warm(opened: "Live", command: Mapping[str, Any]) -> Answer:
    from resbench.metrics.latency.steady import SteadyRule, warm_up

    return asdict(warm_up(opened.call, opened.stopwatch, SteadyRule(**command["rule"])))


def _pace(command: Mapping[str, Any]) -> Answer:
    from resbench.metrics.latency.clocks import Stopwatch
    from resbench.metrics.latency.pace import pace, reference_work

    return {"samples_s": pace(reference_work(), Stopwatch(), command["seconds"])}


def _sample(opened: "Live", command: Mapping[str, Any]) -> Answer:
    from resbench.metrics.latency.clocks import LEAD_IN_CALLS, single_calls

    found = single_calls(
        opened.call,
        opened.stopwatch,
        seconds=command["seconds"],
        calls_at_least=command["calls"],
        lead_in=command.get("lead_in", LEAD_IN_CALLS),
    )
    return {"samples_s": found}


def _throughput(opened: "Live", command: Mapping[str, Any]) -> Answer:
    from resbench.metrics.latency.clocks import back_to_back

    found = back_to_back(opened.call, opened.stopwatch, seconds=command["seconds"], call_s=command["call_s"])
    return found._asdict()


def _device(opened: "Live", command: Mapping[str, Any]) -> Answer:
    if opened.device_time is None:
        return {"samples_s": [], "method": ""}
    return opened.device_time(command["calls"])._asdict()


def _parts(opened: "Live", command: Mapping[str, Any]) -> Answer:
    if opened.step is None:
        return {"parts": []}
    opened.step()
    return {"parts": [opened.step.apart(opened.stopwatch)._asdict() for _ in range(command["calls"])]}


_COMMANDS: dict[str, Callable[["Live", Mapping[str, Any]], Answer]] = {
    "warm": _warm,
    "sample": _sample,
    "throughput": _throughput,
    "device": _device,
    "parts": _parts,
}


def _say(answers: IO[str], answer: Answer) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _own_stdout() -> IO[str]:
    """Keep standard output for answers: what a user's network prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _end_with_parent() -> None:
    """Be killed when the parent is, however it dies (Linux); elsewhere the end of standard input has to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)


def _stay_on(threads: int) -> list[int]:
    """Bind the process to as many of its cores as it has threads, and return them; all where threads are more."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    cores = allowed[:threads]
    os.sched_setaffinity(0, cores)
    return cores


def _bind_threads(cores: Sequence[int]) -> None:
    """Have OpenMP, with which torch computes, keep each thread on a core of its own. It reads this when it is loaded.

    Two threads that wander between two cores meet on one now and then, and each process settles differently.
    """
    if len(cores) > 1:
        os.environ.setdefault("OMP_PLACES", ",".join(f"{{{core}}}" for core in cores))
        os.environ.setdefault("OMP_PROC_BIND", "true")


@contextlib.contextmanager
def _all_cores(cores: Sequence[int], *, back: bool) -> Iterator[None]:
    """Give the main thread, which OpenMP has bound, all cores while compilers and other runtimes start their threads.

    Their threads inherit its cores. `back`: whether it returns to its own afterwards, because it computes with OpenMP.
    """
    if len(cores) < 2:
        yield
        return
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    yield
    if back:
        os.sched_setaffinity(0, bound)


if __name__ == "__main__":
    main()
