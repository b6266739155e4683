"""One process of several that train one small experiment, for test_several_processes.py.

Run as `trained_by_several.py FOLDER:MODE ...`, one after the other: the store, the checkpoints and the weights lie in
FOLDER. MODE is `through`, `stop1` (the last process is asked to stop once the first epoch is over), `stop2`, `die1` (it
kills itself there), or `test`: each process writes what it finds in a test of the untrained network.
"""

import dataclasses
import json
import os
import signal
import sys
from pathlib import Path

import torch

from resbench.datasets.data import Data
from resbench.datasets.opening import open_data
from resbench.errors import ResbenchError, Stopped
from resbench.execution import in_step
from resbench.execution.progress import Silent
from resbench.execution.several_processes import member
from resbench.results import Epoch, Pass, plain
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.store.store import open_store
from resbench.training import checkpoint
from resbench.training.loop import _test
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.reporting import Place
from resbench.training.step import training_step
from resbench.training.watching import Unwatched
from resbench.training.world import ALONE, World
from resbench.trial.training import open_run


def recipe() -> Recipe:
    """Return three epochs of a few steps, with every part that processes share, and batch norm of the whole batch."""
    short = dataclasses.replace(HE2015_CIFAR.schedule, length=9, milestones=(6,), warmup=0)
    return dataclasses.replace(
        HE2015_CIFAR,
        schedule=short,
        optimizer=dataclasses.replace(HE2015_CIFAR.optimizer, lr=1e-3),
        train_batch=16,
        test_batch=8,
        train_limit=48,
        test_limit=36,
        testing="every_epoch",
        validation=0,
        batch_norm="synchronised",
    )


class Watching(Silent):
    """Strikes where the mode says so."""

    def __init__(self, world: World, mode: str) -> None:
        self.world, self.mode, self.asked = world, mode, False

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        if self.world.rank < self.world.size - 1:
            return
        if self.mode == f"die{epoch.number}":
            os.kill(os.getpid(), signal.SIGKILL)
        self.asked = self.mode == f"stop{epoch.number}"

    def stopping(self) -> bool:
        return self.asked


def tested(experiment: Experiment, data: Data, world: World) -> Pass:
    """Return what the untrained network scores."""
    run = open_run(experiment, data, engine=Engine(), folder=Path("none"), watch=Unwatched(), world=world)
    step = training_step(run.model, recipe(), run.engine, seed=1, device=run.device, world=ALONE)
    journey = _test(run, step, run.feeds.test, "test", Place(1, 1))
    while True:
        try:
            next(journey)
        except StopIteration as end:
            found: Pass = end.value
            return found


def do(folder: Path, mode: str, data: Data, world: World) -> int:
    """Train, and keep the weights; return the exit code."""
    folder.mkdir(exist_ok=True)
    experiment = Experiment(
        model="cifar_resnet20",
        device="cpu",
        precision=Precision.FP32,
        seed=1,
        scale=Scale.SMOKE,
        recipe=recipe(),
        data=data.identity,
    )
    if mode == "test":
        (folder / f"{world.rank}.json").write_text(json.dumps(plain(tested(experiment, data, world))))
        return 0

    def keep(checkpoints: Path) -> None:
        state = checkpoint.load(checkpoints)
        assert state is not None
        torch.save(state.weights, folder / "weights.pt")

    with open_store(str(folder / "results.db")) as store:
        try:
            in_step.run(
                [experiment],
                data,
                store,
                world=world,
                checkpoints=folder / "checkpoints",
                workers=0,
                progress=Watching(world, mode),
                keep=keep,
                # Of channels_last tensors PyTorch's own batch norm adds up in single precision, ours of several processes not.
                engine=Engine(memory_format="contiguous"),
            )
        except Stopped as stopped:
            return stopped.exit_code
    return 0


def main(jobs: list[str]) -> int:
    """Do them all; return the exit code of the last."""
    torch.set_num_threads(1)
    data, code = open_data("cifar10", None), 0
    with member() as world:
        for job in jobs:
            folder, mode = job.rsplit(":", 1)
            code = do(Path(folder), mode, data, world)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ResbenchError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
