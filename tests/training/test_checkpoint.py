import json
import resource
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resbench.results import Epoch, Pass
from resbench.training import checkpoint
from resbench.training.checkpoint import State

numbers = st.floats(allow_nan=False, allow_infinity=False)
passes = st.builds(
    Pass,
    loss=numbers,
    loss_of_batches=numbers,
    top1=numbers,
    top5=numbers,
    top1_of_batches=numbers,
    top5_of_batches=numbers,
    samples=st.integers(1, 10**6),
    seconds=numbers,
)


def a_pass(loss: float) -> Pass:
    return Pass(
        loss=loss,
        loss_of_batches=loss,
        top1=0.5,
        top5=0.9,
        top1_of_batches=0.5,
        top5_of_batches=0.9,
        samples=7,
        seconds=1.5,
    )


def state_after(epochs: int) -> State:
    torch.manual_seed(epochs)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    return State(
        step=6 * epochs,
        epochs=tuple(
            Epoch(number=n + 1, learning_rate=0.1 / 3, train=a_pass(1 / (n + 1)), test=a_pass(2.0))
            for n in range(epochs)
        ),
        weights=model.state_dict(),
        optimizer=optimizer.state_dict(),
        seconds=12.5,
    )


def name_of(epochs: int) -> str:
    return f"step-{6 * epochs:010d}-{epochs:05d}"


def same(one: State, other: State) -> bool:
    """All but the optimiser's state, which the loop's tests compare through the weights it leads to."""
    weights = all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)
    return weights and one.epochs == other.epochs and one.seconds == other.seconds


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    state = state_after(2)
    checkpoint.save(tmp_path / "run", state)
    loaded = checkpoint.load(tmp_path / "run")
    assert loaded is not None
    assert same(state, loaded)
    for number, moments in state.optimizer["state"].items():
        for name, value in moments.items():
            assert torch.equal(loaded.optimizer["state"][number][name], value)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(train=passes, test=passes, rate=numbers)
def test_epochs_survive_to_the_last_bit(tmp_path: Path, train: Pass, test: Pass, rate: float) -> None:
    epochs = (Epoch(number=1, learning_rate=rate, train=train, test=test),)
    checkpoint.save(tmp_path, State(step=1, epochs=epochs, weights={}, optimizer={}, seconds=0.0))
    loaded = checkpoint.load(tmp_path)
    assert loaded is not None
    assert loaded.epochs == epochs


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "none") is None


@pytest.mark.parametrize("torn", ["weights.safetensors", "optimizer.pt", "progress.json", "manifest.json"])
def test_a_torn_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, torn: str) -> None:
    for epochs in (1, 2):
        checkpoint.save(tmp_path, state_after(epochs))
    file = tmp_path / name_of(2) / torn
    file.write_bytes(file.read_bytes()[:-3])
    loaded = checkpoint.load(tmp_path)
    assert loaded is not None
    assert same(loaded, state_after(1))


def test_a_checkpoint_that_was_being_written_does_not_count(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state_after(1))
    (tmp_path / name_of(1)).rename(tmp_path / name_of(1).replace("step", "partial"))
    assert checkpoint.load(tmp_path) is None
    checkpoint.save(tmp_path, state_after(1))
    assert [path.name for path in tmp_path.iterdir()] == [name_of(1)]


@pytest.mark.parametrize("room_B", [0, 600, 2_000])
def test_a_full_disk_leaves_the_checkpoint_before_and_nothing_else(tmp_path: Path, room_B: int) -> None:
    """A limit on the size of files stands for the full disk: writing beyond it fails in the same place."""
    checkpoint.save(tmp_path, state_after(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_B, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            checkpoint.save(tmp_path, state_after(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == [name_of(1)]
    loaded = checkpoint.load(tmp_path)
    assert loaded is not None
    assert same(loaded, state_after(1))


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for epochs in range(1, 5):
        checkpoint.save(tmp_path, state_after(epochs))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name_of(3), name_of(4)]


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    """A pickle that would create a file when unpickled is refused, not run."""
    checkpoint.save(tmp_path, state_after(1))
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (open, (str(trap), "w"))  # type: ignore[return-value]

    saved = tmp_path / name_of(1)
    torch.save({"optimizer": Trap()}, saved / "optimizer.pt")
    manifest = (saved / "manifest.json").read_text()
    old = json.loads(manifest)["sha256"]["optimizer.pt"]
    (saved / "manifest.json").write_text(manifest.replace(old, checkpoint._sha256(saved / "optimizer.pt")))
    with pytest.raises(Exception, match="weights_only"):
        checkpoint.load(tmp_path)
    assert not trap.exists()


def test_discarding_leaves_nothing(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run", state_after(1))
    checkpoint.discard(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    checkpoint.discard(tmp_path / "run")
