"""Experiments over several processes that are started for each: their results, their failures, and who outlives whom."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from resbench.datasets.data import Data, Split
from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.errors import ResbenchError, Stopped, UsageError
from resbench.execution import split
from resbench.execution.progress import Silent
from resbench.execution.split import processes_for
from resbench.results import Epoch, Result
from resbench.specs import Experiment, Precision, Scale
from resbench.store.store import open_store
from resbench.training.meeting import RENDEZVOUS
from resbench.training.recipes import HE2015_CIFAR

RECIPE = replace(
    HE2015_CIFAR,
    schedule=replace(HE2015_CIFAR.schedule, length=4, milestones=(3,), warmup=0),
    train_batch=16,
    test_batch=16,
    train_limit=32,
    test_limit=16,
    testing="every_epoch",
    validation=0,
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", RENDEZVOUS, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def experiment(data: Data, processes: int = 2) -> Experiment:
    return Experiment(
        model="cifar_resnet20",
        device="cpu",
        precision=Precision.FP32,
        seed=1,
        scale=Scale.SMOKE,
        recipe=RECIPE,
        data=data.identity,
        processes=processes,
    )


class Noting(Silent):
    """Notes what it is told, and asks for an end after so many epochs."""

    def __init__(self, stop_after: int = 99) -> None:
        self.epochs: list[int] = []
        self.finished: list[int] = []
        self.reused: list[int] = []
        self.resumed_after: list[int] = []
        self._stop_after = stop_after

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        self.epochs.append(epoch.number)

    def resumed(self, epoch: int) -> None:
        self.resumed_after.append(epoch)

    def finish(self, result: Result, position: int, total: int) -> None:
        self.finished.append(position)

    def reuse(self, result: Result, position: int, total: int) -> None:
        self.reused.append(position)

    def stopping(self) -> bool:
        return len(self.epochs) >= self._stop_after


def run(folder: Path, data: Data, progress: Silent) -> tuple[Result, ...]:
    with open_store(str(folder / "results.db")) as store:
        return split.run(
            [experiment(data)],
            data,
            store,
            count=lambda one: one.processes,
            checkpoints=folder / "checkpoints",
            workers=0,
            progress=progress,
            note="drawn",
        )


def test_two_processes_answer_once_and_tell_what_they_do(tmp_path: Path) -> None:
    data = open_cifar_sample("cifar10")
    first, second = Noting(), Noting()
    (result,) = run(tmp_path, data, first)
    assert result.key == experiment(data).key
    assert (result.notes, result.environment.settings["processes"]) == (("drawn",), "2")
    assert (first.epochs, first.finished) == ([1, 2], [1])
    with open_store(str(tmp_path / "results.db")) as store:
        assert [len(run.epochs) for run in store.epochs.runs()] == [2]
    assert run(tmp_path, data, second) == (result,)
    assert (second.epochs, second.reused) == ([], [1])


class Torn:
    """Pictures of which one can't be read."""

    def __call__(self, index: int) -> object:
        raise ResbenchError("no picture 7.jpg")


def test_what_the_leading_process_fails_with_is_the_error(tmp_path: Path) -> None:
    data = open_cifar_sample("cifar10")
    torn = replace(data, train=Split(labels=data.train.labels, load=Torn()))  # type: ignore[arg-type]
    with pytest.raises(ResbenchError, match=r"no picture 7\.jpg"):
        run(tmp_path, torn, Silent())


def test_it_stops_when_asked_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="stopped before cifar_resnet20"):
        run(tmp_path, open_cifar_sample("cifar10"), Noting(stop_after=0))


def test_it_stops_between_two_steps_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(RECIPE, schedule=replace(RECIPE.schedule, length=100_000, milestones=(90_000,)))
    monkeypatch.setattr(sys.modules[__name__], "RECIPE", long)
    data = open_cifar_sample("cifar10")
    progress = Noting(stop_after=1)
    with pytest.raises(Stopped, match="stopped in epoch"):
        run(tmp_path, data, progress)
    assert (tmp_path / "checkpoints" / experiment(data).key).is_dir()
    assert progress.finished == []


def test_each_process_needs_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes_for("cpu", 6).devices == ()
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert processes_for("cuda:0", 2).devices == ("cuda:0", "cuda:1")
    with pytest.raises(UsageError, match="not cuda:1: give --device cuda"):
        processes_for("cuda:1", 2)
    with pytest.raises(UsageError, match="6 processes need a GPU each, and there are 2"):
        processes_for("cuda:0", 6)


LAUNCHER = """
import sys
from resbench.execution.several_processes import Processes, start
member = '''
import os, pathlib, time
from resbench.execution.several_processes import end_with_the_launcher
end_with_the_launcher()
(pathlib.Path({folder!r}) / os.environ["RANK"]).write_text(str(os.getpid()))
time.sleep(120)
'''
start([sys.executable, "-c", member], Processes(count=2))
"""


def test_no_process_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER.format(folder=str(tmp_path))])
    try:
        pids = _pids(tmp_path, 2)
    finally:
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
    assert _all_end(pids)


def _pids(folder: Path, count: int) -> list[int]:
    for _ in range(600):
        texts = [path.read_text() for path in folder.iterdir()]
        if len(texts) == count and all(texts):
            return [int(text) for text in texts]
        time.sleep(0.1)
    raise AssertionError("the processes did not start")


def _all_end(pids: list[int]) -> bool:
    for _ in range(300):
        if not any(_lives(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _lives(pid: int) -> bool:
    """Return whether a process runs; one that ended, and that nobody has waited for, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
