"""Weights out of what runs leave behind."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from resbench.errors import UsageError
from resbench.results import Epoch, Pass
from resbench.training import checkpoint
from resbench.training.averaging import average_of
from resbench.training.checkpoint import State
from resbench.training.kept_weights import RESULT, TESTED, UNAVERAGED, kept_weights

FOUND = Pass(
    loss=1.0,
    loss_of_batches=1.0,
    top1=0.5,
    top5=0.9,
    top1_of_batches=0.5,
    top5_of_batches=0.9,
    samples=7,
    seconds=1.5,
)


def saved(folder: Path, *, ema: bool, step: int = 6) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Write a checkpoint; return the network and the average of two states of it."""
    torch.manual_seed(step)
    linear = nn.Linear(3, 2)
    model = nn.Sequential(linear, nn.BatchNorm1d(2))
    average = average_of(model, 0.75)
    average.update(model)
    with torch.no_grad():
        linear.weight += 1
    average.update(model)
    checkpoint.save(
        folder,
        State(
            step=step,
            epochs=(Epoch(number=1, learning_rate=0.1, train=FOUND, test=FOUND),),
            weights=model.state_dict(),
            optimizer={},
            seconds=1.0,
            average=average.state() if ema else {},
        ),
    )
    return model, {name: average.tensors[name] for name in model.state_dict()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_of_a_run_with_an_average_each_is_to_be_had(tmp_path: Path) -> None:
    model, average = saved(tmp_path, ema=True)
    assert not same(average, model.state_dict())
    (whole,) = tmp_path.iterdir()
    for folder in (tmp_path, whole):
        for asked, expected in ((None, average), (True, average), (False, model.state_dict())):
            kept = kept_weights(folder, average=asked)
            assert same(kept.tensors, expected)
            assert ("(EMA)" in kept.said) is (asked is not False)
            assert f"after step 6 in {whole}" in kept.said


def test_without_an_average_none_is_made_up(tmp_path: Path) -> None:
    model, _ = saved(tmp_path, ema=False)
    for asked in (None, False):
        assert same(kept_weights(tmp_path, average=asked).tensors, model.state_dict())
    with pytest.raises(UsageError, match="holds no moving average of the weights"):
        kept_weights(tmp_path, average=True)


def test_the_newest_whole_checkpoint_counts(tmp_path: Path) -> None:
    first, _ = saved(tmp_path, ema=False, step=6)
    saved(tmp_path, ema=False, step=12)
    torn = max(tmp_path.iterdir())
    (torn / "weights.safetensors").write_bytes(b"torn")
    assert same(kept_weights(tmp_path, average=None).tensors, first.state_dict())
    with pytest.raises(UsageError, match="holds no whole checkpoint"):
        kept_weights(torn, average=None)


@pytest.mark.parametrize("number", [checkpoint.FORMAT - 1, checkpoint.FORMAT + 1])
def test_a_checkpoint_of_another_version_is_called_so(tmp_path: Path, number: int) -> None:
    saved(tmp_path, ema=False)
    (whole,) = tmp_path.iterdir()
    manifest = json.loads((whole / checkpoint.MANIFEST).read_text("utf-8"))
    (whole / checkpoint.MANIFEST).write_text(json.dumps({**manifest, "format": number}), "utf-8")
    for folder in (tmp_path, whole):
        with pytest.raises(
            UsageError, match=f"of format {number}, and this version reads {checkpoint.FORMAT}"
        ):
            kept_weights(folder, average=None)


def test_of_a_finished_run(tmp_path: Path) -> None:
    tested, last = {"a": torch.zeros(2)}, {"a": torch.ones(2)}
    save_file(tested, tmp_path / TESTED)
    assert same(kept_weights(tmp_path, average=None).tensors, tested)
    with pytest.raises(UsageError, match="leave out --ema"):
        kept_weights(tmp_path, average=True)
    save_file(last, tmp_path / UNAVERAGED)
    for asked, expected in ((None, tested), (True, tested), (False, last)):
        assert same(kept_weights(tmp_path, average=asked).tensors, expected)


def test_weights_are_never_taken_for_those_of_another_run(tmp_path: Path) -> None:
    """A run whose result the store had writes it beside the weights that an earlier run left there."""
    facts = {"resbench.key": "0123", "resbench.recipe": "he2015_cifar~6of64000"}
    save_file({"a": torch.zeros(2)}, tmp_path / TESTED, facts)
    assert "trained by he2015_cifar~6of64000" in kept_weights(tmp_path, average=None).said
    for key, whole in (("0123", True), ("4567", False)):
        (tmp_path / RESULT).write_text(f'{{"key": "{key}"}}', encoding="utf-8")
        if whole:
            assert kept_weights(tmp_path, average=None).tensors["a"].sum() == 0
        else:
            with pytest.raises(UsageError, match=r"weights of one run \(0123\) and result\.json of another"):
                kept_weights(tmp_path, average=None)


def test_another_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no checkpoint: give a file of weights, or the folder of a run"):
        kept_weights(tmp_path, average=None)
