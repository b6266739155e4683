"""How long a step and a test take, by a clock that the test moves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resbench.specs import Engine
from resbench.training.pace import measure_pace
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.run import Feeds

CPU = torch.device("cpu")
RECIPE = replace(HE2015_CIFAR, train_batch=8, test_batch=10)


class Clock:
    """Moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """Pictures that take their time: each training batch and each test batch so many seconds."""

    kind, note = "resident", ""
    mean_CHW: Tensor | None = None

    def __init__(self, count: int, clock: Clock, train_s: float, test_s: float) -> None:
        self.labels_N = torch.zeros(count, dtype=torch.long)
        self.clock, self.train_s, self.test_s = clock, train_s, test_s
        self.sizes: list[int] = []

    def __len__(self) -> int:
        return len(self.labels_N)

    def training_batches(
        self, batches: Sequence[Sequence[int]], *, seed: int, epoch: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            self.clock.now += self.train_s
            self.sizes.append(len(batch))
            yield torch.zeros(len(batch), 3, 8, 8), self.labels_N[: len(batch)]

    def test_batches(self, batches: Sequence[Sequence[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            self.clock.now += self.test_s
            yield torch.zeros(len(batch), 1, 3, 8, 8), self.labels_N[: len(batch)]


@pytest.mark.parametrize(("train_s", "test_s", "tests"), [(0.5, 0.4, 25), (4.0, 2.0, 25), (0.5, 0.4, 7)])
def test_the_feeds_are_in_the_figures(train_s: float, test_s: float, tests: int) -> None:
    """A test of 25 pictures in batches of 10 is three batches; it may be extrapolated from the first, by the picture."""
    clock = Clock()
    feeds = Feeds(train=Slow(20, clock, train_s, 0.0), test=Slow(tests, clock, 0.0, test_s))
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    pace = measure_pace(model, feeds, RECIPE, Engine(), seed=0, device=CPU, clock=clock)
    assert pace.step_s == pytest.approx(train_s)
    batches = -(-tests // 10)
    assert pace.test_s == pytest.approx(test_s * (2.5 if test_s > 1 else batches))


def test_the_last_batch_of_an_epoch_is_left_out_unless_it_is_the_only_one() -> None:
    for samples, size in ((20, 8), (5, 5)):
        clock = Clock()
        feed = Slow(samples, clock, 1.0, 1.0)
        model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
        measure_pace(model, Feeds(train=feed, test=feed), RECIPE, Engine(), seed=0, device=CPU, clock=clock)
        assert set(feed.sizes) == {size}
