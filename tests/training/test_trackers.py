"""What other programs are told of a run: TensorBoard's own reader, and stand-ins for services that need an account."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from resbench.errors import UsageError
from resbench.results import Epoch, Pass
from resbench.training.trackers.opening import Tracked, open_tracker, settings_of
from resbench.training.watching import Step, Watch

RUN = Tracked(
    name="net-recipe-seed0", key="0123456789abcdef", settings={"recipe.optimizer.lr": 0.1, "seed": 0}
)


def a_pass(loss: float, samples: int = 40) -> Pass:
    return Pass(
        loss=loss,
        loss_of_batches=loss,
        top1=0.25,
        top5=0.75,
        top1_of_batches=0.25,
        top5_of_batches=0.75,
        samples=samples,
        seconds=2.0,
    )


def an_epoch(number: int, *, tested: bool = True) -> Epoch:
    return Epoch(
        number=number,
        learning_rate=0.1 / number,
        train=a_pass(2.0 / number),
        test=a_pass(3.0 / number) if tested else None,
    )


def a_step(epoch: int, done: int, loss: float, phase: str = "train") -> Step:
    return Step(
        phase=phase,
        epoch=epoch,
        epochs=2,
        done=done,
        total=4,
        samples=10 * done,
        seconds=1.0,
        loss=loss,
        top1=0.5,
    )


def tell(watch: Watch) -> None:
    """Two epochs of 40 samples, as a run tells of them; the second without a test."""
    watch.step(a_step(1, 2, 2.5))
    watch.step(a_step(1, 4, 2.25))
    watch.step(a_step(1, 1, 9.0, phase="test"))
    watch.epoch(an_epoch(1), 2)
    watch.step(a_step(2, 2, 1.5))
    watch.epoch(an_epoch(2, tested=False), 2)
    assert not watch.stopping()


EPOCH_1 = {
    "epoch": 1.0,
    "learning_rate": 0.1,
    "train/loss": 2.0,
    "train/top1": 0.25,
    "train/top5": 0.75,
    "test/loss": 3.0,
    "test/top1": 0.25,
    "test/top5": 0.75,
    "train/images_per_second": 20.0,
}
EPOCH_2 = {
    **{name: value for name, value in EPOCH_1.items() if not name.startswith("test/")},
    "epoch": 2.0,
    "learning_rate": 0.05,
    "train/loss": 1.0,
}
TOLD = [
    ({"step/loss": 2.5, "step/top1": 0.5}, 20),
    ({"step/loss": 2.25, "step/top1": 0.5}, 40),
    (EPOCH_1, 40),
    ({"step/loss": 1.5, "step/top1": 0.5}, 60),
    (EPOCH_2, 80),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the reader
def test_tensorboard_reads_back_what_was_told(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    tracker = open_tracker(f"tensorboard:{tmp_path}", RUN)
    tell(tracker.watch)
    tracker.close(True)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(tmp_path / "net-recipe-seed0-0123456789abcdef"))
    reader.Reload()
    found = {
        (name, event.step): event.value for name in reader.Tags()["scalars"] for event in reader.Scalars(name)
    }
    expected = {(name, samples): value for figures, samples in TOLD for name, value in figures.items()}
    assert found == pytest.approx(expected, rel=1e-6)


class Calls(ModuleType):
    """A module that keeps every call."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def keep(self, name: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            self.calls.append((name, args, named))
            return SimpleNamespace(log=self.keep("log"), finish=self.keep("finish"))

        return call


def test_wandb_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    wandb: Any = Calls("wandb")
    wandb.init = wandb.keep("init")
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    tracker = open_tracker("wandb:mine", RUN)
    tell(tracker.watch)
    tracker.close(False)
    first, *logged, last = wandb.calls
    assert first[2] == {
        "project": "mine",
        "name": RUN.name,
        "id": RUN.key,
        "resume": "allow",
        "config": dict(RUN.settings),
    }
    assert [call[1][0] for call in logged] == [{**figures, "samples": samples} for figures, samples in TOLD]
    assert last == ("finish", (), {"exit_code": 1})


def test_mlflow_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow: Any = Calls("mlflow")
    for name in ("set_experiment", "start_run", "log_params", "log_metrics", "end_run"):
        setattr(mlflow, name, mlflow.keep(name))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    tracker = open_tracker("mlflow", RUN)
    tell(tracker.watch)
    tracker.close(True)
    assert mlflow.calls[0] == ("set_experiment", ("resbench",), {})
    assert mlflow.calls[1][2] == {"run_name": RUN.name, "tags": {"resbench.key": RUN.key}}
    assert mlflow.calls[2][1] == ({"recipe.optimizer.lr": "0.1", "seed": "0"},)
    metrics = [call for call in mlflow.calls if call[0] == "log_metrics"]
    assert [(call[1][0], call[2]["step"]) for call in metrics] == TOLD
    assert mlflow.calls[-1] == ("end_run", (), {"status": "FINISHED"})


def test_a_run_that_goes_on_has_the_same_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that is heard of is the second epoch: its samples come after the first's 40."""
    mlflow: Any = Calls("mlflow")
    for name in ("set_experiment", "start_run", "log_params", "log_metrics"):
        setattr(mlflow, name, mlflow.keep(name))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    watch = open_tracker("mlflow", RUN).watch
    watch.resumed(1)
    watch.step(a_step(2, 2, 1.5))
    watch.epoch(an_epoch(2), 2)
    assert [call[2]["step"] for call in mlflow.calls if call[0] == "log_metrics"] == [60, 80]


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_what_is_not_installed_is_one_line_with_the_remedy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("torch.utils.tensorboard", "wandb", "mlflow"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"pip install 'resbench\[{name}\]'"):
        open_tracker(name, RUN)


def test_an_unknown_tracker_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean tensorboard\?"):
        open_tracker("tensorbord:runs", RUN)


def test_settings_by_dotted_names() -> None:
    experiment = {"model": "net", "recipe": {"optimizer": {"lr": 0.1}, "mean": [0.5, 0.25], "limit": None}}
    assert settings_of(experiment) == {"model": "net", "recipe.optimizer.lr": 0.1, "recipe.mean": "0.5,0.25"}
