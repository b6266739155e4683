"""How fast do pictures come? Images a second of the input alone, against torchvision's usual pipelines.

CIFAR-10: the whole set in memory, cut and mirrored a batch at a time, against torchvision's CIFAR10, its transforms on PIL
pictures, and a DataLoader. VOC crops at 224: the store of scaled pictures against a folder of losslessly saved crops (as
the VOC 07+12 protocol has them), read by ImageFolder with the protocol's transforms; training views and ten crops.

Every process has one thread. Of VOC, both sides have the same number of worker processes (none: each side is one process).
CIFAR's usual pipeline has two, the resident set none. The sides take turns, and what is printed and asserted is the median
of the ratios of their turns. Nothing else should run:

    RESBENCH_DATA=.data pytest benchmarks/test_input_pipeline.py -s

Environment: RESBENCH_INPUT_WORKERS (0), RESBENCH_INPUT_TURNS (5), RESBENCH_INPUT_CROPS (960), RESBENCH_INPUT_IMAGES (of
CIFAR-10, 12,800).
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms
from torchvision.datasets import CIFAR10, ImageFolder

from resbench.datasets.cifar import open_cifar
from resbench.datasets.data import Split
from resbench.datasets.voc_crops import open_voc
from resbench.training.feeds import Feed, open_feed
from resbench.training.limits import spread
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020

WORKERS = int(os.environ.get("RESBENCH_INPUT_WORKERS", "0"))
TURNS = int(os.environ.get("RESBENCH_INPUT_TURNS", "5"))
CROPS = int(os.environ.get("RESBENCH_INPUT_CROPS", "960"))
IMAGES = int(os.environ.get("RESBENCH_INPUT_IMAGES", "12800"))
CPU = torch.device("cpu")
VOC = VOC_ZJ2020.pictures
HALVES = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Pass = Callable[[], Iterable[tuple[Tensor, Tensor]]]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("RESBENCH_DATA")
    if not folder:
        pytest.skip("RESBENCH_DATA is not set: it names the folder of the real data")
    return Path(folder)


def rate(one: Pass) -> float:
    """Return the images a second of a pass; each batch is touched."""
    began, count = time.perf_counter(), 0
    for images, labels_B in one():
        assert images.flatten()[-1].isfinite()
        count += len(labels_B)
    return count / (time.perf_counter() - began)


def compared(what: str, ours: Pass, theirs: Pass) -> float:
    """Return how many times as fast ours is: the median over turns."""
    torch.set_num_threads(1)
    rate(ours)
    turns = [(rate(ours), rate(theirs)) for _ in range(TURNS)]
    ratios = sorted(one / other for one, other in turns)
    mine, other = (statistics.median(column) for column in zip(*turns, strict=True))
    ratio = statistics.median(ratios)
    sys.stdout.write(
        f"\n{what}: {mine:,.0f} against {other:,.0f} images/s: {ratio:.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f})\n"
    )
    return ratio


def batches(count: int, size: int) -> list[range]:
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def training(feed: Feed, size: int) -> Pass:
    return lambda: feed.training_batches(batches(len(feed), size), seed=0, epoch=1)


def fixed_views(feed: Feed, size: int) -> Pass:
    return lambda: feed.test_batches(batches(len(feed), size))


def loaded(dataset: Dataset[tuple[Tensor, int]], size: int, *, workers: int, shuffle: bool) -> Pass:
    def one() -> Iterator[tuple[Tensor, Tensor]]:
        yield from DataLoader(dataset, batch_size=size, shuffle=shuffle, num_workers=workers)

    return one


def test_cifar(data: Path) -> None:
    """Against what the usual public loops do: pad 4, crop, flip, ToTensor, Normalize."""
    steps = [
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        HALVES,
    ]
    theirs = CIFAR10(str(data), train=True, transform=transforms.Compose(steps))
    split = open_cifar(data).train
    feed = open_feed(split, range(IMAGES), HE2015_CIFAR.pictures, device=CPU, kind="resident")
    assert (
        compared(
            "CIFAR-10",
            training(feed, 128),
            loaded(Subset(theirs, range(IMAGES)), 128, workers=2, shuffle=True),
        )
        >= 5
    )


@pytest.fixture(scope="module")
def crops(data: Path) -> tuple[Split, list[int]]:
    split = open_voc(data).train
    return split, spread(len(split), CROPS)


@pytest.fixture(scope="module")
def folder(crops: tuple[Split, list[int]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the crops as files, a folder for each class, as ImageFolder reads them."""
    split, positions = crops
    root = tmp_path_factory.mktemp("crops")
    for position in positions:
        place = root / f"{split.labels[position]:02}"
        place.mkdir(exist_ok=True)
        split.load(position).save(place / f"{position}.png")
    return root


def stored(crops: tuple[Split, list[int]], root: Path, *, views: int) -> Feed:
    split, positions = crops
    pictures = replace(VOC, test_views=views)
    settings = {"device": CPU, "cache": root.parent / "store", "workers": WORKERS}
    return open_feed(split, positions, pictures, kind="store", identity="benchmark", **settings)  # type: ignore[arg-type]


def test_voc_training_views(crops: tuple[Split, list[int]], folder: Path) -> None:
    steps = [
        transforms.Resize(256),
        transforms.RandomCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(0.1, 0.1, 0.1, 0.1),
        transforms.ToTensor(),
        transforms.RandomErasing(),
        HALVES,
    ]
    theirs = ImageFolder(str(folder), transforms.Compose(steps))
    feed = stored(crops, folder, views=1)
    assert (
        compared("VOC, training views", training(feed, 96), loaded(theirs, 96, workers=WORKERS, shuffle=True))
        >= 4
    )


def test_voc_ten_crops(crops: tuple[Split, list[int]], folder: Path) -> None:
    each = transforms.Compose([transforms.ToTensor(), HALVES])
    steps = [
        transforms.Resize(256),
        transforms.TenCrop(224),
        transforms.Lambda(lambda cut: torch.stack([each(crop) for crop in cut])),
    ]
    theirs = ImageFolder(str(folder), transforms.Compose(steps))
    feed = stored(crops, folder, views=10)
    assert (
        compared("VOC, ten crops", fixed_views(feed, 48), loaded(theirs, 48, workers=WORKERS, shuffle=False))
        >= 10
    )
