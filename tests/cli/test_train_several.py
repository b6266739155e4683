"""`resbench train` over several processes, as a user starts and stops it."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from resbench.cli.main import call
from resbench.cli.train_several import check_gpus
from resbench.errors import UsageError
from resbench.store.store import open_store
from resbench.training.meeting import RENDEZVOUS

RUN = (
    "train cifar_resnet20 --recipe he2015_cifar --scale smoke --iterations 6 --set batch_norm=synchronised "
    "--set train_limit=32 --set test_limit=16 --set train_batch=16 --set validation=0"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ctrl_c_stops_both_and_one_process_goes_on_with_it(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "resbench", *shlex.split(RUN), "--processes", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "epoch 1/3" in line)
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130, said
    assert "Ctrl-C: stopped in epoch" in said
    assert said.count("resbench: ") == 1
    assert call(shlex.split(RUN)) == 0
    assert "goes on after epoch" in capfd.readouterr().err
    with open_store("resbench.db", create=False) as store:
        (result,) = store.results()
    assert [epoch.train.samples for epoch in result.epochs] == [32, 32, 32]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--devices cuda:0,cpu", "'cpu' is no GPU by its number"),
        ("--processes 3 --devices cuda:0,cuda:1", "--processes 3 and 2 --devices: leave one of them out"),
        ("--devices cuda:99", "device 'cuda:99' is not there"),
    ],
)
def test_what_cannot_be_is_one_line(options: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(shlex.split(f"{RUN} {options}")) == 2
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_time_is_not_shared_out(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert call(shlex.split("train cifar_resnet20 --recipe he2015_cifar --scale smoke --time-budget 9s")) == 2
    assert "--time-budget is decided by one process" in capfd.readouterr().err
    assert call(shlex.split(f"{RUN} --processes 3")) == 2
    assert "--processes 3, but 2 were started" in capfd.readouterr().err
    assert call(shlex.split(f"{RUN} --device cuda:1")) == 2
    assert "--device cuda:1 is one GPU for 2 processes: give --device cuda" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("gpus", "started_by_us", "refused"),
    [(1, True, True), (1, False, False), (2, False, True), (3, True, False)],
)
def test_processes_share_no_gpu(
    gpus: int, started_by_us: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One GPU in sight of a process that a cluster's launcher started may be its own."""
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    if started_by_us:
        monkeypatch.setenv(RENDEZVOUS, "meeting")
    else:
        monkeypatch.delenv(RENDEZVOUS, raising=False)
    if refused:
        with pytest.raises(UsageError, match=f"3 processes need a GPU each, and there (is|are) {gpus}: "):
            check_gpus()
    else:
        check_gpus()
