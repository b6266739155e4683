"""Runs over several real processes: what they find, how they stop together, and how one's death ends them all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from resbench.errors import ResbenchError, UsageError
from resbench.execution import several_processes
from resbench.execution.several_processes import (
    Processes,
    environment_of,
    processes_of,
    start,
    threads_each,
)
from resbench.store.store import open_store
from resbench.training import checkpoint
from resbench.training.meeting import RENDEZVOUS, started

SCRIPT = Path(__file__).with_name("trained_by_several.py")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", RENDEZVOUS, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def trained(processes: int, *jobs: str) -> int:
    return start([sys.executable, str(SCRIPT), *jobs], Processes(count=processes))


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(folder / "weights.pt")
    return found


def saved(folder: Path) -> list[tuple[int, int]]:
    """Return the step and the finished epochs of each run's last checkpoint."""
    states = [checkpoint.load(every) for every in (folder / "checkpoints").iterdir() if every.is_dir()]
    return [(state.step, len(state.epochs)) for state in states if state is not None]


def test_runs_over_two_then_three_then_one_process(tmp_path: Path) -> None:
    changing, three, again, alone = (tmp_path / name for name in ("changing", "three", "again", "alone"))
    # Stopped on any of its processes, in the second epoch, it stops after the same step on all, and goes on from there.
    assert trained(2, f"{tmp_path}/two:test", f"{changing}:stop1") == 130
    assert saved(changing) == [(6, 1)]
    several = [f"{three}:through", f"{again}:stop1", f"{again}:through"]
    assert trained(3, f"{tmp_path}/three:test", *several, f"{changing}:stop2") == 130
    assert saved(changing) == [(9, 2)]
    single = [f"{tmp_path}/one:test", f"{alone}:through", f"{changing}:through"]
    subprocess.run([sys.executable, SCRIPT, *single], check=True)
    # To the same bits on as many processes; on another number, to what one finds that has the batch to itself.
    assert all(torch.equal(tensor, weights(three)[name]) for name, tensor in weights(again).items())
    for folder in (three, changing):
        assert _distance(weights(folder), weights(alone)) < 1e-5
        with open_store(str(folder / "results.db")) as store:
            (result,) = store.results()
        assert [epoch.number for epoch in result.epochs] == [1, 2, 3]
        assert [epoch.train.samples for epoch in result.epochs] == [48, 48, 48]
    # A test that processes share is, to the last bit, that of one, and all know it.
    passes = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/[0-9].json"))]
    for found in passes:
        found.pop("seconds")
    assert len(passes) == 6
    assert passes[0]["samples"] == 36
    assert all(found == passes[0] for found in passes)


def _distance(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    flat, wanted = (
        torch.cat([every[name].flatten().double() for name in expected]) for every in (found, expected)
    )
    return float((flat - wanted).norm() / wanted.norm())


def test_a_process_that_dies_ends_the_run_with_one_line_and_its_checkpoint_stays(tmp_path: Path) -> None:
    with pytest.raises(ResbenchError) as caught:
        trained(2, f"{tmp_path}:die1")
    assert str(caught.value) == (
        "process 2 of 2 was ended by SIGKILL; the others were ended, and the same command goes on from the last "
        "checkpoint"
    )
    assert saved(tmp_path) == [(3, 1)]


def test_the_first_signal_goes_to_the_leading_process(tmp_path: Path) -> None:
    leading = (
        "import os, signal, sys, time\n"
        "if os.environ['RANK'] != '0': time.sleep(60)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
        "time.sleep(60)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(several_processes, "_GRACE_S", 0.2)
        before = signal.getsignal(signal.SIGTERM)
        assert start([sys.executable, "-c", leading], Processes(count=2)) == 143
        assert signal.getsignal(signal.SIGTERM) == before


def test_what_another_process_said_is_in_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_processes, "_GRACE_S", 0.2)
    program = (
        "import os, sys, time\n"
        "if os.environ['RANK'] == '0': time.sleep(60)\n"
        "sys.exit('error: no picture 7.jpg')\n"
    )
    with pytest.raises(
        ResbenchError, match=r"^process 2 of 2 failed \(error: no picture 7.jpg\); the others"
    ):
        start([sys.executable, "-c", program], Processes(count=2))


def test_the_leading_process_has_our_output_and_the_last_word(capfd: pytest.CaptureFixture[str]) -> None:
    program = "import os, sys; print(os.environ['RANK']); sys.exit(2)"
    assert start([sys.executable, "-c", program], Processes(count=3)) == 2
    assert capfd.readouterr().out == "0\n"


def test_each_process_has_its_place_its_threads_and_one_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = environment_of(1, Processes(count=2, devices=("cuda:0", "cuda:3")), tmp_path / "meeting")
    assert (found["RANK"], found["LOCAL_RANK"], found["WORLD_SIZE"]) == ("1", "1", "2")
    assert found["CUDA_VISIBLE_DEVICES"] == "3"
    assert found["OMP_NUM_THREADS"] == str(threads_each(2))
    assert started(found) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    found = environment_of(0, Processes(count=1, devices=("cuda:1",)), tmp_path / "meeting")
    assert found["CUDA_VISIBLE_DEVICES"] == "7"
    with pytest.raises(UsageError, match="there is no cuda:2: CUDA_VISIBLE_DEVICES shows 2 GPUs"):
        environment_of(0, Processes(count=1, devices=("cuda:2",)), tmp_path / "meeting")


def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(8)))
    assert [threads_each(count) for count in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]


def test_what_processes_and_devices_ask_for() -> None:
    assert processes_of(None, "") == Processes(count=1)
    assert processes_of(3, "") == Processes(count=3)
    assert processes_of(None, "cuda:0, cuda:2") == Processes(count=2, devices=("cuda:0", "cuda:2"))
    for count, devices, said in (
        (None, "cuda:0,cpu", "'cpu' is no GPU by its number"),
        (None, "cuda:0,cuda:0", "names one twice"),
        (3, "cuda:0,cuda:1", "--processes 3 and 2 --devices"),
    ):
        with pytest.raises(UsageError, match=said):
            processes_of(count, devices)


def test_the_starting_process_loads_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from resbench.execution.several_processes import Processes, start\n"
        "start([sys.executable, '-c', ''], Processes(count=2)); sys.exit('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == 0
