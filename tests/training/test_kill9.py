"""Killed at any step and run again, a training ends with the weights of one that was left alone, bit for bit."""

import multiprocessing
import random
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from resbench.datasets.data import Data, Split
from resbench.specs import DataIdentity, Engine
from resbench.training.loop import steps
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.run import Run, open_feeds
from resbench.training.watching import Unwatched

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

SAMPLES, STEPS = 40, 33
RECIPE = replace(
    HE2015_CIFAR,
    train_batch=8,
    test_batch=8,
    pictures=replace(HE2015_CIFAR.pictures, crop=8, pad=1),
    schedule=replace(HE2015_CIFAR.schedule, length=STEPS, milestones=(20,)),
    validation=8,
    testing="every_epoch",
    ema=0.9,
    precise_bn=1,
)


def load(index: int) -> Image.Image:
    pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def run_of(folder: Path) -> Run:
    labels = tuple(index % 3 for index in range(SAMPLES))
    split = Split(labels=labels, load=load)
    identity = DataIdentity(
        kind="cifar10",
        label="noise",
        official=False,
        fingerprint="0",
        classes=3,
        train_samples=SAMPLES,
        test_samples=SAMPLES,
        majority=1 / 3,
    )
    data = Data(identity=identity, classes=("a", "b", "c"), train=split, test=split)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3)
    )
    device, engine = torch.device("cpu"), Engine(checkpoint_s=0.0)
    return Run(
        model=model,
        recipe=RECIPE,
        engine=engine,
        seed=5,
        device=device,
        feeds=open_feeds(data, RECIPE, engine, device),
        folder=folder,
        watch=Unwatched(),
    )


def session(folder: Path, told: Connection) -> None:
    """Train in a process of its own, tell of each batch, and leave the final weights."""
    torch.set_num_threads(1)
    torch.manual_seed(random.SystemRandom().randrange(2**31))  # no result may depend on it
    run = run_of(folder / "checkpoints")
    for number, _ in enumerate(steps(run)):
        told.send(number)
    # Training may have laid them channels_last, which the format does not know.
    weights = {name: tensor.contiguous() for name, tensor in run.model.state_dict().items()}
    save_file(weights, folder / "final.safetensors")
    told.close()


def begin(folder: Path) -> "tuple[BaseProcess, Connection]":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resbench.training.loop"])
    hear, tell = context.Pipe(duplex=False)
    process = context.Process(target=session, args=(folder, tell))
    process.start()
    tell.close()
    return process, hear


def to_the_end(folder: Path) -> dict[str, torch.Tensor]:
    process, hear = begin(folder)
    with hear:
        try:
            while True:
                hear.recv()
        except EOFError:
            pass
    process.join()
    assert process.exitcode == 0
    return load_file(folder / "final.safetensors")


def test_kill_9_at_ten_random_steps(tmp_path: Path) -> None:
    """Ten kills, each a few batches after the last: in training, in tests, and while a checkpoint is written."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    expected = to_the_end(whole)
    when = random.Random(0)
    for _ in range(10):
        process, hear = begin(parts)
        with hear:
            for _ in range(when.randint(1, 6)):
                hear.recv()
            process.kill()
            process.join()
        assert not (parts / "final.safetensors").exists()
    found = to_the_end(parts)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
