"""Several watches as one: all are told, any may stop, and one that fails is left out."""

from pathlib import Path

import pytest

from resbench.errors import ResbenchError
from resbench.execution.progress import Silent
from resbench.execution.several import Guarded, Recording, watched_by
from resbench.results import Epoch, Pass
from resbench.specs import Experiment, Precision, Profiling, Scale
from resbench.store.store import open_store
from resbench.training.watching import Step, Unwatched

EXPERIMENT = Experiment(
    model="resnet18",
    device="cpu",
    precision=Precision.FP32,
    seed=0,
    scale=Scale.SMOKE,
    profiling=Profiling(batch_size=1, num_classes=2, input_CHW=(3, 8, 8)),
)
STEP = Step(phase="train", epoch=1, epochs=1, done=1, total=2, samples=8, seconds=1.0, loss=2.0, top1=0.1)
PASS = Pass(
    loss=1.0,
    loss_of_batches=1.0,
    top1=0.5,
    top5=0.5,
    top1_of_batches=0.5,
    top5_of_batches=0.5,
    samples=8,
    seconds=1.0,
)
EPOCH = Epoch(number=1, learning_rate=0.1, train=PASS, test=PASS)


class Keeping(Silent):
    """Keeps what it is told."""

    def __init__(self, *, stop: bool = False) -> None:
        self.told: list[object] = []
        self.stop = stop

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        self.told.append(experiment)

    def step(self, step: Step) -> None:
        self.told.append(step)

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        self.told.append(epoch)

    def resumed(self, epoch: int) -> None:
        self.told.append(epoch)

    def stopping(self) -> bool:
        return self.stop


def test_all_are_told_and_any_may_stop() -> None:
    first, second, third = Keeping(), Keeping(), Keeping()
    progress = watched_by(first, second, third)
    progress.begin(EXPERIMENT, 1, 1)
    progress.resumed(4)
    progress.step(STEP)
    progress.epoch(EPOCH, 1)
    assert first.told == [EXPERIMENT, 4, STEP, EPOCH]
    assert second.told == third.told == [4, STEP, EPOCH]
    assert not progress.stopping()
    third.stop = True
    assert progress.stopping()
    assert watched_by(first) is first


class Failing(Unwatched):
    """Fails at every step."""

    def __init__(self, error: type[Exception]) -> None:
        self.error, self.calls = error, 0

    def step(self, step: Step) -> None:
        self.calls += 1
        raise self.error("no network")


def test_one_that_fails_is_left_out_and_said_once() -> None:
    said: list[str] = []
    failing = Failing(ConnectionError)
    guarded = Guarded(failing, "wandb", said.append)
    for _ in range(3):
        guarded.step(STEP)
    guarded.epoch(EPOCH, 1)
    assert said == ["wandb gets no more of this run: ConnectionError: no network"]
    assert failing.calls == 1
    with pytest.raises(ResbenchError):
        Guarded(Failing(ResbenchError), "ours", said.append).step(STEP)


def test_the_record_has_each_epoch_once(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "results.db")) as store:
        for _ in range(2):
            watch: Recording = Recording(store, EXPERIMENT)
            watch.epoch(EPOCH, 3)
        (run,) = store.epochs.runs()
        assert (run.key, run.epochs, run.total) == (EXPERIMENT.key, (EPOCH,), 3)


def test_a_plan_is_made_once(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "results.db")) as store:
        decide = store.epochs.plan
        assert store.epochs.planned("question") is None
        assert [decide("question", 100), decide("question", 200), decide("other", 7)] == [100, 100, 7]
        assert store.epochs.planned("question") == 100
