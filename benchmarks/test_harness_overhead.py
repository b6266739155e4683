"""What does the training loop cost beside the steps themselves? Ours against a bare loop over the same steps.

Both train CIFAR ResNet-20, batch 128, on the same resident pictures with the same optimiser and memory format. The bare
loop draws a batch, and does zero_grad, forward, loss, backward and step. Ours counts losses and hits as well, computes
the learning rate, looks for a broken loss, tells a watcher four times a second, and writes a checkpoint each minute.

The two take turns, a few steps each, so that both meet the same machine; the ratio is the median over the turns. A second
network, so small that a step is all overhead, shows what the loop costs in microseconds.

    pytest benchmarks/test_harness_overhead.py -s

Environment: RESBENCH_OVERHEAD_TURNS (20), RESBENCH_DATA (real CIFAR-10; else the drawn sample).
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.naming import find_architecture
from resbench.datasets.opening import open_data
from resbench.models.build import build
from resbench.specs import Engine
from resbench.training.loop import steps
from resbench.training.optimizers import make_optimizer
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.run import Feeds, Run, open_feeds
from resbench.training.seeding import order
from resbench.training.watching import Unwatched

TURNS = int(os.environ.get("RESBENCH_OVERHEAD_TURNS", "20"))
FULL = TURNS >= 20
"""Fewer turns are a rehearsal: nothing is asserted of their figures."""
ALLOWED = 1.02
CPU = torch.device("cpu")
ENGINE = Engine(memory_format="channels_last", checkpoint_s=60.0)


def feeds_of(batch: int) -> Feeds:
    folder = os.environ.get("RESBENCH_DATA")
    data = open_data("cifar10", Path(folder) if folder else None)
    recipe = replace(HE2015_CIFAR, train_batch=batch, test_limit=128)
    return open_feeds(data, recipe, ENGINE, CPU)


def resnet20() -> nn.Module:
    return build(find_architecture("cifar_resnet20"), classes=10)


def tiny() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    )


def epochs_of(feeds: Feeds, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    epoch = 0
    while True:
        epoch += 1
        visits = order(len(feeds.train), 0, epoch)
        batches = [visits[start : start + batch] for start in range(0, len(visits), batch)]
        yield from feeds.train.training_batches(batches, seed=0, epoch=epoch)


def bare(model: nn.Module, feeds: Feeds, batch: int) -> Iterator[None]:
    model.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, HE2015_CIFAR.optimizer, fused=True)
    model.train()
    for images_BCHW, labels_B in epochs_of(feeds, batch):
        optimizer.zero_grad(set_to_none=True)
        logits_BK = model(images_BCHW.contiguous(memory_format=torch.channels_last))
        functional.cross_entropy(logits_BK, labels_B).backward()
        optimizer.step()
        yield


def ours(model: nn.Module, feeds: Feeds, batch: int, folder: Path) -> Iterator[None]:
    run = Run(
        model=model,
        recipe=replace(HE2015_CIFAR, train_batch=batch),
        engine=ENGINE,
        seed=0,
        device=CPU,
        feeds=feeds,
        folder=folder,
        watch=Unwatched(),
    )
    yield from steps(run)


def turns(make: Callable[[], nn.Module], batch: int, count: int, folder: Path) -> tuple[float, float]:
    """Return the median ratio of the turns, ours over bare, and the median difference in seconds a step."""
    feeds = feeds_of(batch)
    loops = [bare(make(), feeds, batch), ours(make(), feeds, batch, folder)]
    for loop in loops:
        for _ in range(count):
            next(loop)
    took: list[list[float]] = [[], []]
    for turn in range(TURNS):
        for which in (0, 1) if turn % 2 else (1, 0):
            began = time.perf_counter()
            for _ in range(count):
                next(loops[which])
            took[which].append((time.perf_counter() - began) / count)
    pairs = list(zip(*took, strict=True))
    return (
        statistics.median(other / one for one, other in pairs),
        statistics.median(other - one for one, other in pairs),
    )


def test_the_loop_costs_less_than_two_percent(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    ratio, _ = turns(resnet20, 128, 4, tmp_path / "resnet20")
    _, apart_s = turns(tiny, 8, 200, tmp_path / "tiny")
    reporter.write_line(f"ResNet-20, batch 128: ours / bare {ratio:.4f} (aim: below {ALLOWED})")
    reporter.write_line(f"a network that is all overhead: ours takes {1e6 * apart_s:.0f} us a step more")
    if FULL:
        assert ratio < ALLOWED
