import pytest
import torch
from torch import nn

from resbench.specs import Loss
from resbench.training.evaluation import Tally, count_batch, mean_logits


def tally_of(sizes: list[int], right: list[int]) -> Tally:
    """Batches of `sizes`, of which `right` are answered right; six classes, the right one never in the last place."""
    tally = Tally()
    for size, hits in zip(sizes, right, strict=True):
        labels_B = torch.zeros(size, dtype=torch.long)
        logits_BK = torch.zeros(size, 6)
        logits_BK[:hits, 0] = 1
        logits_BK[hits:] = torch.tensor([-1.0, 1, 2, 3, 4, 5])  # the class is the sixth of six
        tally.add(torch.ones(size) * size, logits_BK, labels_B)
    return tally


def test_a_small_last_batch_weighs_as_much_as_a_full_one_only_as_published() -> None:
    """48, 48 and 32 samples as in the VOC test: by hand, 60 of 128 against the mean of 24/48, 20/48, 16/32."""
    found = tally_of([48, 48, 32], [24, 20, 16]).finish()
    assert found.samples == 128
    assert found.top1 == pytest.approx(60 / 128)
    assert found.top1_of_batches == pytest.approx((24 / 48 + 20 / 48 + 16 / 32) / 3)
    assert found.top5 == pytest.approx(60 / 128)
    assert found.loss == pytest.approx((48 * 48 * 2 + 32 * 32) / 128)
    assert found.loss_of_batches == pytest.approx(128 / 3)


def test_top5_counts_the_first_five() -> None:
    tally = Tally()
    logits_BK = torch.arange(20.0).expand(4, 20)
    tally.add(torch.zeros(4), logits_BK, torch.tensor([19, 15, 14, 0]))
    found = tally.finish()
    assert (found.top1, found.top5) == (0.25, 0.5)


def test_latest_looks_at_the_last_batches_only() -> None:
    assert tally_of([10, 10], [0, 10]).latest(1) == (10.0, 1.0)


def test_the_logits_of_the_views_are_averaged_not_their_probabilities() -> None:
    model = nn.Flatten(1)  # each view's logits are its two pixels
    views = torch.tensor([[[0.0, 4.0], [6.0, 0.0]]])[..., None, None]
    assert mean_logits(model, views).tolist() == [[3.0, 2.0]]


def test_a_batch_is_counted_with_its_loss() -> None:
    tally = Tally()
    images_BVCHW = torch.tensor([[[9.0, 0.0]], [[9.0, 0.0]]])[..., None, None]
    count_batch(nn.Flatten(1), Loss(), tally, images_BVCHW, torch.tensor([0, 1]))
    found = tally.finish()
    assert found.top1 == 0.5
    expected = torch.nn.functional.cross_entropy(torch.tensor([[9.0, 0], [9, 0]]), torch.tensor([0, 1]))
    assert found.loss == pytest.approx(expected.item())
