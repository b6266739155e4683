"""What is gained by running two trainings at once: images/s together against one after the other.

On a CPU: two processes of one thread each, against two runs of two threads one after the other; CIFAR ResNet-20, batch 128, drawn
pictures, the same recipe and seeds. The rate of a run is the median over its epochs but the first, so that neither side pays for
its start. On a GPU: four runs in turns, each on a stream of its own, against the same runs one after the other, wall time.

    pytest benchmarks/test_together.py -s

Environment: RESBENCH_TOGETHER_EPOCHS (8).
"""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.execution import in_process
from resbench.execution import together as at_once
from resbench.execution.progress import Silent
from resbench.results import Result
from resbench.specs import Engine, Experiment, Precision, Scale
from resbench.store.store import open_store
from resbench.training.loop import steps, train
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.run import Run
from resbench.training.together import together
from resbench.training.watching import Unwatched
from resbench.trial.training import open_run

EPOCHS = int(os.environ.get("RESBENCH_TOGETHER_EPOCHS", "8"))
SAMPLES, BATCH = 512, 128
RECIPE = replace(
    HE2015_CIFAR,
    schedule=replace(HE2015_CIFAR.schedule, length=EPOCHS * SAMPLES // BATCH, milestones=(), warmup=0),
    train_limit=SAMPLES,
    test_limit=16,
    testing="end",
    validation=0,
)


def experiments(count: int, device: str) -> list[Experiment]:
    identity = open_cifar_sample("cifar10").identity
    return [
        Experiment(
            model="cifar_resnet20",
            device=device,
            precision=Precision.FP32,
            seed=seed,
            scale=Scale.SMOKE,
            recipe=RECIPE,
            data=identity,
        )
        for seed in range(count)
    ]


def rates(results: Sequence[Result]) -> list[float]:
    return [
        statistics.median(epoch.train.samples / epoch.train.seconds for epoch in result.epochs[1:])
        for result in results
    ]


def test_two_processes_of_one_thread_against_two_threads_in_sequence(tmp_path: Path) -> None:
    data, wanted = open_cifar_sample("cifar10"), experiments(2, "cpu")
    with open_store(str(tmp_path / "sequence.db")) as store:
        in_turn = in_process.run(
            wanted,
            data,
            store,
            checkpoints=tmp_path / "sequence",
            workers=0,
            progress=Silent(),
            engine=Engine(threads=2),
        )
    with open_store(str(tmp_path / "together.db")) as store:
        beside = at_once.run(
            wanted,
            data,
            store,
            at_once=2,
            checkpoints=tmp_path / "together",
            workers=0,
            progress=Silent(),
            engine=Engine(threads=1),
        )
    sequence, both = statistics.mean(rates(in_turn)), sum(rates(beside))
    sys.stdout.write(
        f"\nin sequence, 2 threads: {sequence:.0f} images/s; together, 1 thread each: {both:.0f} images/s\n"
    )
    sys.stdout.write(f"ratio: {both / sequence:.2f}\n")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="streams need a CUDA device")
def test_four_runs_on_streams_against_one_after_the_other(tmp_path: Path) -> None:
    device = torch.device("cuda")

    def opened(name: str) -> list[Run]:
        data = open_cifar_sample("cifar10")
        return [
            open_run(
                experiment,
                data,
                engine=Engine(feed="resident"),
                folder=tmp_path / f"{name}{experiment.seed}",
                watch=Unwatched(),
            )
            for experiment in experiments(4, "cuda")
        ]

    train(opened("warm")[0])
    runs = opened("sequence")
    began = time.perf_counter()
    for run in runs:
        train(run)
    torch.cuda.synchronize()
    sequence_s = time.perf_counter() - began
    runs = opened("together")
    began = time.perf_counter()
    ends = together([steps(run) for run in runs], device)
    torch.cuda.synchronize()
    together_s = time.perf_counter() - began
    assert all(end.error is None for end in ends)
    images = 4 * EPOCHS * SAMPLES
    sys.stdout.write(
        f"\nin sequence: {images / sequence_s:.0f} images/s; together: {images / together_s:.0f} images/s\n"
    )
    sys.stdout.write(f"ratio: {sequence_s / together_s:.2f}\n")
