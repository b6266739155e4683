"""The pictures of a run for a rehearsal: all of them where memory holds them, else a few batches, prepared the same way.

How long all would take, and how much room, follows from those few.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from resbench.datasets.data import Data
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.specs import Engine, Recipe
from resbench.training.feeds import picture_folder, store_fits
from resbench.training.limits import spread
from resbench.training.picture_store import bytes_needed, is_whole, store_path
from resbench.training.resident import LIMIT_B
from resbench.training.run import Feeds, open_feeds, parted
from resbench.training.sources import Files, scaling_of

_BATCHES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Pictures to rehearse on, and what all of them cost.

    Attributes:
        feeds: whole, or a few batches.
        opening_s: each run spends on opening its pictures.
        once_s: the first run spends on a file of scaled pictures, where that has to be built.
        store_B: about the size of that file, where it has to be built; 0 where pictures are kept in memory or read each time.
    """

    feeds: Feeds
    opening_s: float
    once_s: float = 0.0
    store_B: int = 0


def open_pictures(
    data: Data,
    recipe: Recipe,
    engine: Engine,
    device: torch.device,
    *,
    folder: Path,
    report: Report = silent,
    clock: Callable[[], float] = time.perf_counter,
) -> Opened:
    """Open the pictures of a recipe, and time it.

    Args:
        data: the samples.
        recipe: says which of them, and how they are cut.
        engine: says in which way they come.
        device: where they are wanted.
        folder: for a file of the few, where such a file is what the run would have; the caller deletes it.
        report: is told how many pictures are read.
        clock: seconds.

    Raises:
        UsageError: the engine's way does not suit these pictures.
        ResbenchError: a picture can't be read.
    """
    begin = clock()
    feeds = _in_memory(data, recipe, engine, device, report)
    if feeds is not None:
        return Opened(feeds=feeds, opening_s=clock() - begin)
    kind = _kind(data, recipe, engine)
    few = _few(recipe, data)
    begin = clock()
    feeds = open_feeds(data, few, replace(engine, feed=kind), device, cache=folder, progress=report)
    spent_s = clock() - begin
    if kind != "store":
        return Opened(feeds=feeds, opening_s=spent_s)
    missing, opened = _to_build(data, recipe), len(feeds.train) + len(feeds.test)
    return Opened(
        feeds=feeds,
        opening_s=0.0,
        once_s=spent_s * sum(map(len, missing)) / opened,
        store_B=sum(map(bytes_needed, missing)),
    )


def _in_memory(
    data: Data, recipe: Recipe, engine: Engine, device: torch.device, report: Report
) -> Feeds | None:
    """Return all pictures in memory where that is how the run would have them, else None."""
    pictures = recipe.pictures
    if engine.feed not in ("auto", "resident"):
        return None
    if engine.feed == "auto":
        if pictures.random_resized or pictures.scale_range is not None:
            return None
        first_B = max(files.pixels(0).numel() * len(files) for files in _files(data, recipe))
        if first_B > LIMIT_B:
            return None
    try:
        return open_feeds(data, recipe, replace(engine, feed="resident"), device, progress=report)
    except UsageError:
        if engine.feed == "resident":
            raise
        return None


def _kind(data: Data, recipe: Recipe, engine: Engine) -> Literal["store", "loader"]:
    if engine.feed in ("store", "loader"):
        return engine.feed
    folder = picture_folder()
    return "store" if all(store_fits(files, folder) for files in _files(data, recipe)) else "loader"


def _files(data: Data, recipe: Recipe) -> tuple[Files, Files]:
    """Return the training and the test pictures that a run of the recipe reads."""
    trained, _ = parted(spread(len(data.train), recipe.train_limit), recipe.validation)
    tested = spread(len(data.test), recipe.test_limit)
    return (
        Files(split=data.train, positions=tuple(trained), scaling=scaling_of(recipe.pictures, training=True)),
        Files(split=data.test, positions=tuple(tested), scaling=scaling_of(recipe.pictures, training=False)),
    )


def _few(recipe: Recipe, data: Data) -> Recipe:
    """Return the recipe on a few batches of its samples."""
    trained = min(recipe.train_limit or len(data.train), _BATCHES * recipe.train_batch)
    tested = min(recipe.test_limit or len(data.test), _BATCHES * recipe.test_batch)
    return replace(recipe, train_limit=trained, test_limit=tested, validation=0)


def _to_build(data: Data, recipe: Recipe) -> tuple[Files, ...]:
    """Return the parts of which no file of scaled pictures is there yet."""
    parts = zip(("train", "test"), _files(data, recipe), strict=True)
    return tuple(
        files
        for part, files in parts
        if not is_whole(
            store_path(files, f"{data.identity.fingerprint}/{part}", picture_folder()), len(files)
        )
    )
