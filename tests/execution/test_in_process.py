"""The real thing: experiments on drawn pictures, interrupted by every means, in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from resbench.datasets.opening import open_data
from resbench.errors import Stopped, UsageError
from resbench.execution import in_process
from resbench.execution.progress import Silent
from resbench.results import Epoch, Result, plain
from resbench.specs import Experiment, Precision, Scale
from resbench.store.store import open_store
from resbench.training.recipes import VOC_ZJ2020
from resbench.training.scales import at_scale

SMOKE = at_scale(VOC_ZJ2020, Scale.SMOKE)
RECIPE = replace(
    SMOKE,
    pictures=replace(SMOKE.pictures, resize=36, crop=32),
    schedule=replace(SMOKE.schedule, length=2),
    train_batch=12,
    train_limit=48,
    test_limit=12,
)
MODELS = ("cifar_resnet20", "cifar_plain20")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in which the sample is drawn already."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(folder))
        open_data("voc0712", None)
    return folder


def experiments() -> tuple[Experiment, ...]:
    identity = open_data("voc0712", None).identity
    return tuple(
        Experiment(
            model=model,
            device="cpu",
            precision=Precision.FP32,
            seed=3,
            scale=Scale.SMOKE,
            recipe=RECIPE,
            data=identity,
        )
        for model in MODELS
    )


class Printing(Silent):
    """Prints each finished epoch, so that a test knows when to strike."""

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        sys.stdout.write(f"epoch {epoch.number}\n")
        sys.stdout.flush()


class StopAfter(Silent):
    """Asks for an end after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def stopping(self) -> bool:
        self.looks -= 1
        return self.looks < 0


class Counting(Silent):
    """Counts what was run and what was there."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.reused: list[str] = []
        self.resumed_after: list[int] = []

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        self.begun.append(experiment.model)

    def reuse(self, result: Result, position: int, total: int) -> None:
        self.reused.append(result.experiment["model"])

    def resumed(self, epoch: int) -> None:
        self.resumed_after.append(epoch)


def run_all(folder: Path, progress: Silent, note: str = "") -> tuple[Result, ...]:
    with open_store(str(folder / "results.db")) as store:
        return in_process.run(
            experiments(),
            open_data("voc0712", None),
            store,
            checkpoints=folder / "checkpoints",
            workers=0,
            progress=progress,
            note=note,
        )


def found(results: Sequence[Result]) -> list[object]:
    """All that does not depend on the clock."""
    epochs = [[plain(epoch) for epoch in result.epochs] for result in results]
    for rows in epochs:
        for row in rows:
            row["train"].pop("seconds")
            row["test"].pop("seconds")
    figures = [
        [(m.metric, m.value) for m in result.measurements if m.metric != "images_per_second"]
        for result in results
    ]
    return [[result.key for result in results], epochs, figures]


@pytest.fixture
def drawn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_CACHE", str(cache))
    return cache


@pytest.fixture(scope="session")
def uninterrupted(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(cache))
        return found(run_all(tmp_path_factory.mktemp("uninterrupted"), Silent()))


def test_kill_9_in_the_middle_and_the_same_command_again(
    drawn: Path, tmp_path: Path, uninterrupted: list[object]
) -> None:
    """The kill comes in the second network, after its first epoch: two and one epochs were finished."""
    with subprocess.Popen(
        [sys.executable, __file__, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        process.send_signal(signal.SIGKILL)
    assert lines == ["epoch 1", "epoch 2", "epoch 1"]
    assert process.returncode == -signal.SIGKILL
    counting = Counting()
    results = run_all(tmp_path, counting)
    assert found(results) == uninterrupted
    assert counting.reused == [MODELS[0]]
    assert counting.begun == [MODELS[1]]
    assert counting.resumed_after in ([], [1])  # the kill may come before the epoch's checkpoint is in place
    assert not (tmp_path / "checkpoints").exists()


def test_stopping_keeps_what_is_finished(drawn: Path, tmp_path: Path, uninterrupted: list[object]) -> None:
    with pytest.raises(Stopped):
        run_all(tmp_path, StopAfter(7))  # four steps and one test batch an epoch: in the second epoch
    counting = Counting()
    assert found(run_all(tmp_path, counting)) == uninterrupted
    assert counting.resumed_after == [1]


def test_a_second_run_does_nothing(drawn: Path, tmp_path: Path) -> None:
    run_all(tmp_path, Silent())
    counting = Counting()
    run_all(tmp_path, counting)
    assert counting.reused == list(MODELS)
    assert counting.begun == []


def test_a_note_is_kept_with_results_old_and_new_once(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run_all(tmp_path, StopAfter(12))  # five looks an epoch, and one before each network: in the second
    for _ in range(2):
        results = run_all(tmp_path, Silent(), note="Drawn, not photographed.")
        assert [result.notes for result in results] == [("Drawn, not photographed.",)] * 2
    with open_store(str(tmp_path / "results.db")) as store:
        assert [result.notes for result in store.results()] == [("Drawn, not photographed.",)] * 2


def test_two_processes_do_not_work_on_one_experiment(drawn: Path, tmp_path: Path) -> None:
    refusals: list[str] = []

    class Meddling(Silent):
        def epoch(self, epoch: Epoch, epochs: int) -> None:
            if not refusals:
                with pytest.raises(UsageError) as refused:
                    run_all(tmp_path, Silent())
                refusals.append(str(refused.value))

    run_all(tmp_path, Meddling())
    assert "another process is working on cifar_resnet20" in refusals[0]


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), Printing())
