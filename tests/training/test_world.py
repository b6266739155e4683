"""Processes that share a batch against one that has it to itself, and against formulas of their statistics."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.training.meeting import RENDEZVOUS
from resbench.training.world import ALONE, World, joined

SCRIPT = Path(__file__).with_name("one_of_several.py")

Found = dict[str, Any]


def environment(rank: int, size: int, meeting: Path) -> dict[str, str]:
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), RENDEZVOUS: str(meeting)}
    return {
        **os.environ,
        **place,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }


def start(size: int, folder: Path, *command: str) -> list[subprocess.Popen[str]]:
    return [
        subprocess.Popen(
            [sys.executable, *command],
            env=environment(rank, size, folder / "meeting"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


@pytest.fixture(scope="module", params=[2, 3])
def several(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Return what each of 2, and of 3, gloo processes found."""
    folder = tmp_path_factory.mktemp("world")
    for process in start(request.param, folder, str(SCRIPT), str(folder)):
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return [torch.load(folder / f"{rank}.pt") for rank in range(request.param)]


@pytest.fixture(scope="module")
def single() -> Found:
    """Return what one process finds, with PyTorch's own batch norm."""
    step = runpy.run_path(str(SCRIPT))["step"]
    return {kind: step(ALONE, kind) for kind in ("none", "synchronised", "per_process")}


def distance(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Return the norm of the difference of all gradients relative to the norm of the expected ones."""
    names = [name for name in expected if "running" not in name and "num_batches" not in name]
    flat, wanted = (
        torch.cat([every[name].flatten() for name in names]).double() for every in (found, expected)
    )
    return float((flat - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("kind", ["none", "synchronised"])
def test_the_gradients_of_a_step_are_those_of_one_process(
    several: list[Found], single: Found, kind: str
) -> None:
    for found in several:
        assert distance(found[kind], single[kind]) < 1e-6


def test_synchronised_batch_norm_remembers_the_statistics_of_the_whole_batch(
    several: list[Found], single: Found
) -> None:
    for found in several:
        for name in ("1.running_mean", "1.running_var", "1.num_batches_tracked"):
            torch.testing.assert_close(found["synchronised"][name], single["synchronised"][name])


def test_per_process_batch_norm_has_the_statistics_and_gradients_of_each_share(several: list[Found]) -> None:
    script = runpy.run_path(str(SCRIPT))
    images_BCHW, labels_B = script["samples"]()
    model: nn.Sequential = script["network"]("per_process")
    norm = model[1]
    assert isinstance(norm, nn.BatchNorm2d)
    loss = torch.zeros(())
    for found in several:
        mine = found["share"]
        before_BCHW = model[0](images_BCHW[mine])
        mean_C, variance_C = before_BCHW.mean(dim=(0, 2, 3)), before_BCHW.var(dim=(0, 2, 3), unbiased=False)
        torch.testing.assert_close(found["per_process"]["own 1.running_mean"], 0.1 * mean_C.detach())
        normal_BCHW = (before_BCHW - mean_C[:, None, None]) / (variance_C[:, None, None] + 1e-5).sqrt()
        logits_BK = model[2:](normal_BCHW * norm.weight[:, None, None] + norm.bias[:, None, None])
        loss = loss + nn.functional.cross_entropy(logits_BK, labels_B[mine], reduction="sum") / len(labels_B)
    loss.backward()
    expected = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    for found in several:
        assert distance(found["per_process"], expected) < 1e-6


def test_the_statistics_that_are_kept_are_those_of_the_leading_process(several: list[Found]) -> None:
    for found in several:
        assert torch.equal(
            found["per_process"]["1.running_mean"], several[0]["per_process"]["own 1.running_mean"]
        )
    assert not torch.equal(
        several[1]["per_process"]["own 1.running_mean"], several[0]["per_process"]["own 1.running_mean"]
    )


def test_all_agree_and_sums_of_what_each_has_alone_are_exact(several: list[Found]) -> None:
    for found in several:
        assert found["agreed"] == [True, False]
        assert found["total"].tolist() == [0.1 * turn for turn in range(1, 8)]


def test_128_over_3_are_43_43_and_42() -> None:
    assert [len(World(rank, 3).share(range(128))) for rank in range(3)] == [43, 43, 42]


@given(samples=st.integers(0, 300), size=st.integers(1, 9))
def test_shares_and_turns_are_the_whole_once_each(samples: int, size: int) -> None:
    worlds = [World(rank, size) for rank in range(size)]
    shares = [world.share(range(samples)) for world in worlds]
    assert [index for share in shares for index in share] == list(range(samples))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert sorted(turn for world in worlds for turn in world.turns(samples)) == list(range(samples))


@given(samples=st.integers(1, 300), batch=st.integers(1, 40), size=st.integers(1, 9))
def test_a_batch_with_fewer_samples_than_processes_is_refused(samples: int, batch: int, size: int) -> None:
    sizes = [len(range(samples)[start : start + batch]) for start in range(0, samples, batch)]
    if min(sizes) >= size:
        World(0, size).check(samples, batch)
        return
    with pytest.raises(UsageError, match=f"a batch of {min(sizes)} can't be split over {size} processes"):
        World(0, size).check(samples, batch)


def test_weights_of_the_shares_make_the_mean_of_the_batch() -> None:
    losses_B = torch.rand(128, dtype=torch.float64)
    averaged = 0.0
    for rank in range(3):
        world = World(rank, 3)
        mine = losses_B[list(world.share(range(128)))]
        averaged += world.loss_weight(len(mine), 128) * float(mine.mean()) / 3
    assert averaged == pytest.approx(float(losses_B.mean()), rel=1e-12)


def test_each_of_several_has_its_own_gpu_of_those_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under torchrun each sees all of them; one that was started for a GPU of its own sees that alone."""
    asked = torch.device("cuda", 0)
    for seen, expected in ((2, [0, 1, 0]), (1, [0, 0, 0])):
        monkeypatch.setattr(torch.cuda, "device_count", lambda seen=seen: seen)
        assert [World(rank, 3, rank).device(asked).index for rank in range(3)] == expected
    assert World(1, 2, 1).device(torch.device("cpu")) == torch.device("cpu")
    assert ALONE.device(torch.device("cuda", 1)) == torch.device("cuda", 1)


def test_one_process_needs_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model, numbers = nn.Linear(2, 2), torch.ones(3)
    with joined() as world:
        assert world == ALONE
        assert world.lead
        assert world.wrap(model, torch.device("cpu"), "synchronised") is model
        assert world.total(numbers) is numbers
        assert [world.agree(flag=True), world.agree(flag=False)] == [True, False]
        assert world.loss_weight(5, 5) == 1
        world.level(model)


DYING = """
import os, signal, sys
import torch
from resbench.errors import ResbenchError
from resbench.training.world import joined
try:
    with joined("gloo", patience_s=60) as world:
        for step in range(1000):
            if world.rank == 1 and step == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            world.total(torch.ones(1))
except ResbenchError as error:
    sys.stdout.write(f"{error}")
    sys.exit(3)
"""


def test_a_process_that_dies_ends_the_others_with_one_line(tmp_path: Path) -> None:
    processes = start(3, tmp_path, "-c", DYING)
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [3, -9, 3]
    for rank in (0, 2):
        assert said[rank] == (
            f"process {rank + 1} of 3 stopped: another process of this run ended or did not answer; "
            "the same command goes on from the last checkpoint"
        )
