"""The pictures of a run for a rehearsal: all of them where memory holds them, else a few batches, prepared the same way.

How long all would take, and how much room, follows from those few.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

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


class ToBuild(NamedTuple):
    """A file of scaled pictures that is not there yet.

    Attributes:
        path: where it will lie; runs that read the same pictures share it.
        seconds: to build it.
        size_B: about how large it will be.
    """

    path: Path
    seconds: float
    size_B: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Pictures to rehearse on, and what all of them cost.

    Attributes:
        feeds: whole, or a few batches.
        opening_s: each run spends on opening its pictures.
        to_build: files of scaled pictures that the first run builds; none where pictures are kept in memory or read each time.
    """

    feeds: Feeds
    opening_s: float
    to_build: tuple[ToBuild, ...] = ()


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
    each_s = spent_s / (len(feeds.train) + len(feeds.test))
    to_build = tuple(
        ToBuild(path, each_s * len(files), bytes_needed(files)) for path, files in _missing(data, recipe)
    )
    return Opened(feeds=feeds, opening_s=0.0, to_build=to_build)


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
        first_B = max(files.pixels(0).numel() * len(files) for files in _files(data, recipe).values())
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
    return "store" if all(store_fits(files, folder) for files in _files(data, recipe).values()) else "loader"


def _files(data: Data, recipe: Recipe) -> dict[str, Files]:
    """Return the pictures that a run of the recipe reads, by the part of the data."""
    trained, held_out = parted(spread(len(data.train), recipe.train_limit), recipe.validation)
    tested = spread(len(data.test), recipe.test_limit)
    positions = {
        "train": (data.train, trained),
        "test": (data.test, tested),
        "validation": (data.train, held_out),
    }
    return {
        part: Files(
            split=split,
            positions=tuple(chosen),
            scaling=scaling_of(recipe.pictures, training=part == "train"),
        )
        for part, (split, chosen) in positions.items()
        if chosen
    }


def _few(recipe: Recipe, data: Data) -> Recipe:
    """Return the recipe on a few batches of its samples."""
    trained = min(recipe.train_limit or len(data.train), _BATCHES * recipe.train_batch)
    tested = min(recipe.test_limit or len(data.test), _BATCHES * recipe.test_batch)
    return replace(recipe, train_limit=trained, test_limit=tested, validation=0)


def _missing(data: Data, recipe: Recipe) -> list[tuple[Path, Files]]:
    """Return the parts of which no file of scaled pictures is there yet, each with its path."""
    return [
        (path, files)
        for part, files in _files(data, recipe).items()
        for path in [store_path(files, f"{data.identity.fingerprint}/{part}", picture_folder())]
        if not is_whole(path, len(files))
    ]
