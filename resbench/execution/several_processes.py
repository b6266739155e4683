"""One training run over several processes: starting them, being one of them, and ending them all."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

from resbench.errors import ResbenchError, UsageError
from resbench.training.meeting import RENDEZVOUS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from resbench.training.world import World

_POLL_S: Final = 0.1
_GRACE_S: Final = 15.0
"""How long the others have to notice that one is gone, and to end by themselves."""

LAUNCHER: Final = "RESBENCH_LAUNCHER_PIPE"
"""Names, for each process that was started, the descriptor that tells it when the one that started it is gone."""

_DESERTED: Final = 75
"""Exit code of a process that ended because another one had: whoever started them says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """How many processes train together, and the GPU of each where they have any."""

    count: int
    devices: tuple[str, ...] = ()


def processes_of(count: int | None, devices: str) -> Processes:
    """Return what `--processes` and `--devices` ask for, one process where neither does.

    Args:
        count: of processes; None: one for each device.
        devices: `cuda:0,cuda:1`; empty: none were named.

    Raises:
        UsageError: a device is no GPU by its number, is named twice, or their number is another.
    """
    names = tuple(filter(None, (name.strip() for name in devices.split(","))))
    for name in names:
        if re.fullmatch(r"cuda:\d+", name) is None:
            raise UsageError(
                f"--devices {devices}: '{name}' is no GPU by its number; write cuda:0,cuda:1, or give --processes for the "
                "CPU"
            )
    if len(set(names)) < len(names):
        raise UsageError(f"--devices {devices} names one twice: each process needs a GPU of its own")
    if names and count not in (None, len(names)):
        raise UsageError(f"--processes {count} and {len(names)} --devices: leave one of them out")
    return Processes(count=len(names) or count or 1, devices=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A pipe to the leading process.

    Attributes:
        name: of the environment variable that tells the leading process its descriptor.
        theirs: its end, which is closed here once it is started.
        listen: called a few times a second, and once when all have ended.
    """

    name: str
    theirs: "Connection[Any, Any]"
    listen: Callable[[], None]


@contextmanager
def member() -> Iterator["World"]:
    """Be one of the processes inside the block: of those that were started, or the only one.

    Raises:
        Deserted: another one, of those that torchrun has started, ended.
    """
    from resbench.training.world import Deserted, joined

    end_with_the_launcher()
    try:
        with joined() as world:
            yield world
    except Deserted:
        if RENDEZVOUS not in os.environ:
            raise
        raise SystemExit(_DESERTED) from None


def end_with_the_launcher() -> None:
    """End this process, and those that it has started, as soon as the one that `start` ran in is gone.

    It holds the other end of a pipe, which the system closes however it ends, also by SIGKILL.
    """
    named = os.environ.pop(LAUNCHER, "")  # not for those that this one starts: they lack the descriptor
    if not named:
        return
    descriptor = int(named)

    def watch() -> None:
        os.read(descriptor, 1)  # nothing is ever written: it returns when the pipe is closed
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="launcher", daemon=True).start()


def launch(arguments: Sequence[str], processes: Processes) -> int:
    """Run `resbench ARGUMENTS` as several processes and return the exit code of the leading one.

    The leading one has our output; what the others write is kept for when one fails. Ctrl-C and SIGTERM are passed to
    the leading one, upon which all stop after the same step; a second one goes to all.

    Raises:
        ResbenchError: one ended before the others; these were ended, too.
    """
    return start([sys.executable, "-m", "resbench", *arguments], processes)


def start(command: Sequence[str], processes: Processes, talk: Talk | None = None) -> int:
    """Do as `launch` with any command; with a `talk`, signals are left to the caller, who can tell the leading one."""
    with tempfile.TemporaryDirectory(prefix="resbench-processes-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        logs = [stack.enter_context((folder / f"{rank}.log").open("w+")) for rank in range(processes.count)]
        running: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, running)
        lifeline = stack.enter_context(_lifeline())
        for rank, log in enumerate(logs):
            environment = environment_of(rank, processes, folder / "meeting")
            descriptors = {LAUNCHER: lifeline}
            if talk is not None and rank == 0:
                descriptors[talk.name] = talk.theirs.fileno()
            running.append(_start(command, environment, descriptors, None if rank == 0 else log))
        if talk is None:
            with _passed_on(running):
                _wait(running)
        else:
            talk.theirs.close()  # so that the end of the leading process ends what it says
            _wait(running, talk.listen)
        _end(running)
        return _outcome([process.returncode for process in running], [log.name for log in logs])


@contextmanager
def _lifeline() -> Iterator[int]:
    """Yield the end of a pipe that started processes read; the other end is this process's alone."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def environment_of(rank: int, processes: Processes, meeting: Path) -> dict[str, str]:
    """Return the environment of one process: its place, its threads, and the one GPU that it sees, if any."""
    threads = str(threads_each(processes.count))
    found = {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TORCH_CPP_LOG_LEVEL": "ERROR",  # DDP warns of what `training.distributed` sets on purpose
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes.count),
        RENDEZVOUS: str(meeting),
    }
    if processes.devices:
        seen = [every for every in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if every]
        number = int(processes.devices[rank].removeprefix("cuda:"))
        if seen and number >= len(seen):
            raise UsageError(f"there is no cuda:{number}: CUDA_VISIBLE_DEVICES shows {len(seen)} GPUs")
        found["CUDA_VISIBLE_DEVICES"] = seen[number] if seen else str(number)
    return found


def threads_each(processes: int) -> int:
    """Return how many threads each of several processes has, so that together they have the cores of this one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // processes)


def _start(
    command: Sequence[str], environment: dict[str, str], descriptors: Mapping[str, int], log: TextIO | None
) -> "subprocess.Popen[bytes]":
    # A session of its own: the terminal's Ctrl-C reaches us alone, and is passed on once.
    return subprocess.Popen(  # noqa: S603 - our own program
        command,
        env={**environment, **{name: str(number) for name, number in descriptors.items()}},
        pass_fds=tuple(descriptors.values()),
        stdin=subprocess.DEVNULL,
        stdout=None if log is None else subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,
    )


@contextmanager
def _passed_on(running: Sequence["subprocess.Popen[bytes]"]) -> Iterator[None]:
    """Pass the first signal to the leading process, and each later one to all."""
    asked = 0

    def pass_on(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        for process in running[:1] if asked == 1 else running:
            if process.poll() is None:
                process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(running: Sequence["subprocess.Popen[bytes]"], meanwhile: Callable[[], None] | None = None) -> None:
    """Wait for the end of all; once one has failed, or the leading one is done, the others have little time."""
    patience: Callable[[], bool] | None = None
    while left := [process for process in running if process.poll() is None]:
        if patience is None and (running[0].returncode is not None or any(p.returncode for p in running)):
            until = time.monotonic() + _GRACE_S
            patience = lambda until=until: time.monotonic() < until  # noqa: E731
        if patience is not None and not patience():
            return
        if meanwhile is not None:
            meanwhile()
        with contextlib.suppress(subprocess.TimeoutExpired):
            left[0].wait(_POLL_S)
    if meanwhile is not None:
        meanwhile()


def _end(running: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in running:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    for process in running:
        process.wait()


def _outcome(codes: Sequence[int], logs: Sequence[str]) -> int:
    """Return the leading process's exit code, unless it ended because another one did."""
    if codes[0] not in (_DESERTED, -signal.SIGKILL):
        return codes[0]
    culprits = [rank for rank, code in enumerate(codes) if code not in (0, _DESERTED)]
    rank = next((rank for rank in culprits if rank), culprits[0] if culprits else 0)
    how = f"was ended by {signal.Signals(-codes[rank]).name}" if codes[rank] < 0 else "failed"
    lines = Path(logs[rank]).read_text(encoding="utf-8", errors="replace").splitlines()
    words = next((line.strip() for line in reversed(lines) if line.strip()), "")
    raise ResbenchError(
        f"process {rank + 1} of {len(codes)} {how}{f' ({words})' if words else ''}; the others were ended, and the same "
        "command goes on from the last checkpoint"
    )
