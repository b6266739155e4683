import math
from statistics import fmean

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resbench.specs import Loss
from resbench.training.counting import EXPLODED, Count, sums_of
from resbench.training.losses import per_sample
from resbench.training.world import ALONE

CPU = torch.device("cpu")


def rows(count: Count, losses: list[float]) -> None:
    for loss in losses:
        count.add(torch.tensor([loss, 1.0, 2.0], dtype=torch.float64))


def counted(sizes: list[int], right: list[int]) -> Count:
    """Batches of `sizes`, of which `right` are answered right; six classes, the right one never in the last place."""
    count = Count(sizes, CPU)
    for size, hits in zip(sizes, right, strict=True):
        labels_B = torch.zeros(size, dtype=torch.long)
        logits_BK = torch.zeros(size, 6)
        logits_BK[:hits, 0] = 1
        logits_BK[hits:] = torch.tensor([-1.0, 1, 2, 3, 4, 5])  # the class is the sixth of six
        count.add(sums_of(torch.ones(size) * size, logits_BK, labels_B))
    return count


def test_a_small_last_batch_weighs_as_much_as_a_full_one_only_as_published() -> None:
    """48, 48 and 32 samples as in the VOC test: by hand, 60 of 128 against the mean of 24/48, 20/48, 16/32."""
    found = counted([48, 48, 32], [24, 20, 16]).finish(ALONE)
    assert found.samples == 128
    assert found.top1 == pytest.approx(60 / 128)
    assert found.top1_of_batches == pytest.approx((24 / 48 + 20 / 48 + 16 / 32) / 3)
    assert found.top5 == pytest.approx(60 / 128)
    assert found.loss == pytest.approx((48 * 48 * 2 + 32 * 32) / 128)
    assert found.loss_of_batches == pytest.approx(128 / 3)


def test_top5_counts_the_first_five() -> None:
    count = Count([4], CPU)
    count.add(sums_of(torch.zeros(4), torch.arange(20.0).expand(4, 20), torch.tensor([19, 15, 14, 0])))
    found = count.finish(ALONE)
    assert (found.top1, found.top5) == (0.25, 0.5)


def test_the_latest_look_sees_the_last_batches_only() -> None:
    count = Count([10, 10], CPU)
    rows(count, [0.0])
    count.latest()
    count.add(sums_of(torch.ones(10) * 10, torch.eye(6)[0].expand(10, 6), torch.zeros(10, dtype=torch.long)))
    assert count.latest() == (10.0, 1.0)


def test_a_batch_is_counted_with_its_loss() -> None:
    logits_BK, labels_B = torch.tensor([[9.0, 0], [9, 0]]), torch.tensor([0, 1])
    count = Count([2], CPU)
    count.add(sums_of(per_sample(Loss(), logits_BK, labels_B), logits_BK, labels_B))
    found = count.finish(ALONE)
    assert found.top1 == 0.5
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits_BK, labels_B).item())


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), cut=st.integers(0, 6))
def test_a_pass_in_two_parts_finds_what_a_whole_one_does(sizes: list[int], cut: int) -> None:
    torch.manual_seed(0)
    whole, parts = Count(sizes, CPU), Count(sizes, CPU)
    expected: dict[str, list[list[float]]] = {"loss": [], "top1": [], "top5": []}
    for number, size in enumerate(sizes):
        losses, logits, labels = torch.rand(size), torch.randn(size, 7), torch.randint(7, (size,))
        better = [int((row > row[label]).sum()) for row, label in zip(logits, labels, strict=True)]
        expected["loss"].append(losses.tolist())
        expected["top1"].append([float(rank < 1) for rank in better])
        expected["top5"].append([float(rank < 5) for rank in better])
        if number == cut:
            parts = Count(sizes, CPU, parts.counted(ALONE))
        for count in (whole, parts):
            count.add(sums_of(losses, logits, labels))
    found, again = whole.finish(ALONE), parts.finish(ALONE)
    assert whole.complete
    assert found.samples == again.samples == sum(sizes)
    for name, batches in expected.items():
        of_all = fmean(value for batch in batches for value in batch)
        of_batches = fmean(fmean(batch) for batch in batches)
        for each in (found, again):
            assert getattr(each, name) == pytest.approx(of_all, rel=1e-6)
            assert getattr(each, f"{name}_of_batches") == pytest.approx(of_batches, rel=1e-6)
        assert getattr(found, name) == getattr(again, name)
        assert getattr(found, f"{name}_of_batches") == getattr(again, f"{name}_of_batches")


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
