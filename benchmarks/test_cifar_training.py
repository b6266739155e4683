"""How fast is a CIFAR network trained, data included? Images a second against the loop that most people start from.

Theirs, in our own words and code: torchvision's CIFAR10, its transforms on PIL pictures (pad 4, crop, flip, ToTensor,
Normalize), a shuffling DataLoader with two workers, a ResNet-20 of plain modules in float32, cross entropy, SGD with momentum
and weight decay, and `loss.item()` with the count of hits after each step. Ours: the engine as `resbench train` runs it, with
the recipe he2015_cifar, in several settings. Network, batch (128), pictures and threads are the same.

Each side is a process of its own, as users run it: what one does with freed memory is then nothing to the others. Each round,
every side trains on the same number of pictures: theirs on one pass of a fresh DataLoader, ours on one epoch, its draws and
its checkpoint included. The sides go in another order each round. A ratio is the geometric mean over the rounds,
with its 95 % interval. The training loss of the last round shows that all sides learn. Nothing else should run:

    RESBENCH_DATA=.data pytest benchmarks/test_cifar_training.py -s

Environment: RESBENCH_TRAINING_ROUNDS (5), RESBENCH_TRAINING_IMAGES (of a round, 10,240; 50,000 is an epoch),
RESBENCH_TRAINING_THREADS (2), RESBENCH_TRAINING_COMPILE (1 adds torch.compile to the settings; it starts for a minute or two).
"""

import math
import multiprocessing
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import CIFAR10

from resbench.architectures.naming import find_architecture
from resbench.datasets.cifar import open_cifar
from resbench.models.allocator import set_allocator
from resbench.models.build import build
from resbench.results import Epoch
from resbench.specs import Engine, Experiment, Precision, Scale
from resbench.statistics.pairs import compare_pairs
from resbench.training.loop import steps
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.watching import Unwatched
from resbench.trial.training import open_run

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROUNDS = int(os.environ.get("RESBENCH_TRAINING_ROUNDS", "5"))
IMAGES = int(os.environ.get("RESBENCH_TRAINING_IMAGES", "10240"))
THREADS = int(os.environ.get("RESBENCH_TRAINING_THREADS", "2"))
COMPILED = os.environ.get("RESBENCH_TRAINING_COMPILE") == "1"
FULL = ROUNDS >= 5 and IMAGES >= 10_240
"""Fewer or shorter rounds are a rehearsal: nothing is asserted of their figures."""
BATCH, WORKERS = 128, 2
FLOAT32_AT_LEAST, BEST_AT_LEAST = 1.9, 2.5

PLAIN = Engine(threads=THREADS, memory_format="contiguous")
LAST = Engine(threads=THREADS, memory_format="channels_last")
KEEP = replace(LAST, allocator="keep")
BF16 = replace(KEEP, precision=Precision.BF16)
USUAL = "usual"
SETTINGS = {
    "fp32": PLAIN,
    "fp32, channels_last": LAST,
    "fp32, channels_last, keep": KEEP,
    "bf16, channels_last, keep": BF16,
} | ({"bf16, channels_last, keep, compile": replace(BF16, compile=True)} if COMPILED else {})


class Side(Protocol):
    """Trains a network."""

    @property
    def loss(self) -> float:
        """The mean training loss of the last round."""

    def train(self) -> None:
        """Train on the pictures of one round."""


class Block(nn.Module):
    """Two 3x3 convolutions and the shortcut of option A."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.extra = stride, after - before

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out = functional.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.extra:
            shrunk = x[:, :, :: self.stride, :: self.stride]
            x = functional.pad(shrunk, (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        out += x
        return functional.relu(out)


class PlainResNet20(nn.Module):
    """The network as a beginner's repository has it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(Block(*width) for width in widths))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        out = self.blocks(functional.relu(self.bn1(self.conv1(x))))
        out = functional.avg_pool2d(out, out.shape[3])
        logits: Tensor = self.linear(out.flatten(1))
        return logits


class Usual:
    """The usual public loop."""

    def __init__(self, data: Path) -> None:
        torch.manual_seed(0)
        normalise = transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
        steps = [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
        ]
        self.pictures = CIFAR10(str(data), train=True, transform=transforms.Compose([*steps, normalise]))
        self.model = PlainResNet20()
        for module in self.model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        self.criterion = nn.CrossEntropyLoss()
        self.loss = math.nan

    def train(self) -> None:
        """Train on one pass of a loader."""
        chosen = Subset(self.pictures, random.sample(range(len(self.pictures)), IMAGES))
        loader = DataLoader(chosen, batch_size=BATCH, shuffle=True, num_workers=WORKERS)
        self.model.train()
        total, hits, seen = 0.0, 0, 0
        for images, labels in loader:
            self.optimizer.zero_grad()
            outputs = self.model(images)
            loss = self.criterion(outputs, labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(labels)
            hits += int(outputs.max(1)[1].eq(labels).sum().item())
            seen += len(labels)
        self.loss = total / seen


@dataclass
class Kept(Unwatched):
    """Keeps the epochs."""

    epochs: list[Epoch] = field(default_factory=list)

    def epoch(self, epoch: Epoch, epochs: int) -> None:  # noqa: ARG002 - that many there are
        """Keep one."""
        self.epochs.append(epoch)


class Ours:
    """The engine with one setting."""

    def __init__(self, data: Path, engine: Engine, folder: Path) -> None:
        pictures = open_cifar(data)
        # The last epoch would be tested, which no round is to pay for.
        length = (ROUNDS + 3) * math.ceil(IMAGES / BATCH)
        recipe = replace(
            HE2015_CIFAR,
            train_limit=IMAGES,
            test_limit=BATCH,
            schedule=replace(HE2015_CIFAR.schedule, length=length, milestones=()),
        )
        experiment = Experiment(
            model="cifar_resnet20",
            device="cpu",
            precision=engine.precision,
            seed=0,
            scale=Scale.PART,
            recipe=recipe,
            data=pictures.identity,
        )
        self.watch = Kept()
        run = open_run(experiment, pictures, engine=engine, folder=folder, watch=self.watch)
        self.loop = steps(run)

    @property
    def loss(self) -> float:
        """Return that of the last epoch that is over."""
        return self.watch.epochs[-1].train.loss if self.watch.epochs else math.nan

    def train(self) -> None:
        """Train for as many batches as an epoch has."""
        for _ in range(math.ceil(IMAGES / BATCH)):
            next(self.loop)


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("RESBENCH_DATA")
    if not folder:
        pytest.skip("RESBENCH_DATA is not set: it names the folder of the real data")
    return Path(folder)


@contextmanager
def started(name: str, data: Path, folder: Path) -> Iterator["Connection[str, tuple[float, float]]"]:
    """Start the process of a side inside the block; it trains for a round when it is told anything."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(name, data, folder, theirs))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def serve(name: str, data: Path, folder: Path, pipe: "Connection[tuple[float, float], str]") -> None:
    """Be a side: train when told to, answer with the seconds and the loss, until nobody asks any more."""
    random.seed(0)
    torch.set_num_threads(THREADS)
    if name != USUAL:
        set_allocator(SETTINGS[name].allocator)
    side: Side = Usual(data) if name == USUAL else Ours(data, SETTINGS[name], folder)
    with suppress(EOFError):
        while pipe.recv():
            began = time.perf_counter()
            side.train()
            pipe.send((time.perf_counter() - began, side.loss))


def rounds_of(
    pipes: dict[str, "Connection[str, tuple[float, float]]"],
) -> dict[str, list[tuple[float, float]]]:
    """Return images a second and the loss of each side in each round, after one round that is not counted."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in pipes}
    names = list(pipes)
    for turn in range(ROUNDS + 1):
        random.shuffle(names)
        for name in names:
            pipes[name].send("train")
            seconds, loss = pipes[name].recv()
            if turn:
                found[name].append((IMAGES / seconds, loss))
    return found


def ratio_of(ours: list[float], theirs: list[float]) -> tuple[float, str]:
    """Return the geometric mean of the rounds' ratios, and what is printed of it."""
    logs = [dict(enumerate(map(math.log, rates))) for rates in (ours, theirs)]
    found = compare_pairs(*logs)
    mean = math.exp(cast("float", found.mean))
    if found.interval is None:
        return mean, f"{mean:.2f} (n = {found.n})"
    return (
        mean,
        f"{mean:.2f} ({math.exp(found.interval.low):.2f} to {math.exp(found.interval.high):.2f}, n = {found.n})",
    )


def test_both_sides_have_the_same_network() -> None:
    ours, theirs = build(find_architecture("cifar_resnet20"), classes=10), PlainResNet20()

    def shapes(model: nn.Module) -> list[Any]:
        return sorted(tuple(tensor.shape) for tensor in model.state_dict().values())

    assert shapes(ours) == shapes(theirs)


def test_an_epoch_of_resnet20(data: Path, tmp_path: Path) -> None:
    """At least 1.9 times as fast in float32, and 2.5 times in the fastest setting."""
    random.seed(0)
    with ExitStack() as stack:
        pipes = {
            name: stack.enter_context(started(name, data, tmp_path / str(number)))
            for number, name in enumerate((USUAL, *SETTINGS))
        }
        rounds = rounds_of(pipes)
    rates = {name: [rate for rate, _ in found] for name, found in rounds.items()}
    sys.stdout.write(
        f"\nCIFAR ResNet-20, batch {BATCH}, {THREADS} threads, {IMAGES:,} pictures a round, {ROUNDS} rounds\n"
    )
    ratios = {}
    for name, found in rates.items():
        said = "1"
        if name != USUAL:
            ratios[name], said = ratio_of(found, rates[USUAL])
        sys.stdout.write(
            f"{name:30} {statistics.median(found):7,.0f} images/s ({min(found):,.0f} to {max(found):,.0f})"
            f"  loss {rounds[name][-1][1]:.3f}  times as fast: {said}\n"
        )
    if FULL:
        assert max(ratio for name, ratio in ratios.items() if name.startswith("fp32")) >= FLOAT32_AT_LEAST
        assert max(ratios.values()) >= BEST_AT_LEAST
