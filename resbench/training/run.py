"""One training run: what it trains, on which pictures, how, and where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from resbench.datasets.data import Data
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.specs import Engine, Recipe
from resbench.training.feeds import Feed, open_feed
from resbench.training.limits import spread
from resbench.training.seeding import derived
from resbench.training.watching import Watch
from resbench.training.world import ALONE, World

_HELD_OUT_BY = 0
"""Seed of the choice of validation samples: the same ones for every run, so that runs can be compared on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """The pictures of a run; `validation` are training samples that are held out, where the recipe wants any."""

    train: Feed
    test: Feed
    validation: Feed | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """One training run under way.

    Attributes:
        model: on its device, initialised; trained in place.
        seed: decides the order of the samples and their views.
        folder: where its checkpoints lie.
        world: the processes that train it together.
    """

    model: nn.Module
    recipe: Recipe
    seed: int
    device: torch.device
    feeds: Feeds
    folder: Path
    watch: Watch
    engine: Engine = field(default_factory=Engine)
    world: World = ALONE


def open_feeds(
    data: Data,
    recipe: Recipe,
    engine: Engine,
    device: torch.device,
    *,
    cache: Path | None = None,
    progress: Report = silent,
) -> Feeds:
    """Return the pictures that a recipe trains and tests on.

    Args:
        data: whole.
        recipe: says how many samples of it are used, and how many are held out.
        engine: says in which way they come.
        device: where they are wanted.
        cache: where a feed may keep a file; None: in the user's cache folder.
        progress: told how many pictures are read.

    Raises:
        UsageError: no training sample would be left.
        ResbenchError: a picture can't be read.
    """

    def opened(part: str, positions: list[int], mean_CHW: Tensor | None) -> Feed:
        return open_feed(
            data.test if part == "test" else data.train,
            positions,
            recipe.pictures,
            training=part == "train",
            mean_CHW=mean_CHW,
            device=device,
            kind=engine.feed,
            workers=engine.workers,
            cache=cache,
            identity=f"{data.identity.fingerprint}/{part}",
            progress=progress,
        )

    trained_on, held_out = parted(spread(len(data.train), recipe.train_limit), recipe.validation)
    train = opened("train", trained_on, None)
    mean_CHW = train.mean_CHW
    return Feeds(
        train=train,
        test=opened("test", spread(len(data.test), recipe.test_limit), mean_CHW),
        validation=opened("validation", held_out, mean_CHW) if held_out else None,
    )


def parted(positions: Sequence[int], validation: int) -> tuple[list[int], list[int]]:
    """Return the positions that are trained on, and those that are held out: the same for every seed of a run.

    Raises:
        UsageError: none would be left to train on.
    """
    if validation >= len(positions):
        raise UsageError(
            f"validation={validation:,} of {len(positions):,} training samples leaves none to train on"
        )
    generator = torch.Generator().manual_seed(derived(_HELD_OUT_BY, "validation"))
    held_out = set(torch.randperm(len(positions), generator=generator)[:validation].tolist())
    kept = [position for index, position in enumerate(positions) if index not in held_out]
    return kept, [positions[index] for index in sorted(held_out)]
