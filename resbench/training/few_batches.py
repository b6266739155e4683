"""A few batches of a recipe's data, for what looks at training before it starts: a rate, a learning rate, one batch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import torch
from torch import Tensor

from resbench.datasets.data import Data, Split
from resbench.errors import UsageError
from resbench.specs import Pictures, Recipe
from resbench.training.feeds import Feed, open_feed
from resbench.training.limits import spread
from resbench.training.run import parted
from resbench.training.seeding import order

Batch = tuple[Tensor, Tensor]

_MEAN_OF = 512
"""Pictures that the per-pixel mean is taken from: for a look before training, not for a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewBatches:
    """Batches as the recipe makes them, prepared in this process, on `device`.

    Raises:
        UsageError: from its methods: there are fewer training samples than one batch has.
    """

    data: Data
    recipe: Recipe
    seed: int
    device: torch.device

    def training(self) -> Iterator[Batch]:
        """Yield training batches (B, 3, H, W) with augmentation, epoch after epoch without end.

        A last batch that is smaller is left out: it would be another step.
        """
        feed = self._feed(self.data.train, self._positions(), self.recipe.pictures, training=True)
        for epoch in count(1):
            yield from feed.training_batches(self._batches(epoch), seed=self.seed, epoch=epoch)

    def plain(self) -> Batch:
        """Return the first training batch without augmentation: whole pictures, or their centre crops."""
        feed = self._feed(self.data.train, self._positions(), replace(self.recipe.pictures, test_views=1))
        images_B1CHW, labels_B = next(iter(feed.test_batches(self._batches(1)[:1])))
        return images_B1CHW[:, 0], labels_B

    def _positions(self) -> list[int]:
        limited = spread(len(self.data.train), self.recipe.train_limit)
        positions, _ = parted(limited, self.recipe.validation)
        if len(positions) < self.recipe.train_batch:
            raise UsageError(
                f"a batch has {self.recipe.train_batch} samples, the data {len(positions)}: --set train_batch=N takes fewer"
            )
        return positions

    def _batches(self, epoch: int) -> list[list[int]]:
        size, visits = self.recipe.train_batch, order(len(self._positions()), self.seed, epoch)
        return [visits[start : start + size] for start in range(0, len(visits) - size + 1, size)]

    def _feed(
        self, split: Split, positions: list[int], pictures: Pictures, *, training: bool = False
    ) -> Feed:
        return open_feed(
            split,
            positions,
            pictures,
            training=training,
            mean_CHW=None if pictures.mean else self._mean(pictures),
            device=self.device,
            kind="loader",
            workers=0,
            cache=None,
        )

    def _mean(self, pictures: Pictures) -> Tensor:
        raw = replace(pictures, mean=(0.0,) * 3, std=(1.0,) * 3, test_views=1)
        few = spread(len(self.data.train), min(_MEAN_OF, len(self.data.train)))
        (batch,) = self._feed(self.data.train, few, raw).test_batches([range(len(few))])
        return batch[0][:, 0].mean(dim=0).cpu()
