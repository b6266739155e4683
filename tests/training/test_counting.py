import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resbench.training.counting import EXPLODED, Count, sums_of
from resbench.training.evaluation import Tally
from resbench.training.world import ALONE

CPU = torch.device("cpu")


def rows(count: Count, losses: list[float]) -> None:
    for loss in losses:
        count.add(torch.tensor([loss, 1.0, 2.0], dtype=torch.float64))


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), cut=st.integers(0, 6))
def test_a_pass_in_two_parts_finds_what_a_whole_one_does(sizes: list[int], cut: int) -> None:
    torch.manual_seed(0)
    whole, tally = Count(sizes, CPU), Tally()
    parts = Count(sizes, CPU)
    for number, size in enumerate(sizes):
        losses, logits, labels = torch.rand(size), torch.randn(size, 7), torch.randint(7, (size,))
        tally.add(losses, logits, labels)
        if number == cut:
            parts = Count(sizes, CPU, parts.counted(ALONE))
        for count in (whole, parts):
            count.add(sums_of(losses, logits, labels))
    found, again, expected = whole.finish(ALONE), parts.finish(ALONE), tally.finish()
    assert whole.complete
    for name in ("loss", "top1", "top5", "loss_of_batches", "top1_of_batches", "top5_of_batches", "samples"):
        assert getattr(found, name) == getattr(again, name)
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 2.1 * EXPLODED])
def test_the_first_bad_batch_is_named(bad: float) -> None:
    count = Count([2] * 5, CPU)
    rows(count, [1.0, 1.9 * EXPLODED, bad, 1.0])
    assert count.first_bad() == 2
    fine = Count([2] * 5, CPU)
    rows(fine, [1.0, 2.0])
    assert fine.first_bad() is None


def test_the_latest_are_those_since_the_last_look() -> None:
    count = Count([2] * 4, CPU)
    rows(count, [2.0, 4.0])
    assert count.latest() == (1.5, 0.5)
    rows(count, [8.0])
    assert count.latest() == (4.0, 0.5)
    assert count.latest() == (4.0, 0.5)
