import math

import pytest
import torch

from resbench.specs import Loss
from resbench.training.losses import per_sample


def test_smoothing_is_the_divergence_from_its_hand_written_target() -> None:
    logits_BK = torch.tensor([[2.0, 0.5, -1.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
    labels_B = torch.tensor([0, 3])
    found_B = per_sample(Loss(smoothing=0.1), logits_BK, labels_B)
    for row in range(2):
        shares = [math.exp(value) for value in logits_BK[row].tolist()]
        total = sum(shares)
        target = [0.9 if k == labels_B[row] else 0.1 / 3 for k in range(4)]
        expected = sum(t * (math.log(t) - math.log(s / total)) for t, s in zip(target, shares, strict=True))
        assert found_B[row].item() == pytest.approx(expected, rel=1e-6)


def test_smoothing_is_not_the_one_of_cross_entropy_loss() -> None:
    """PyTorch spreads s / K over all K classes and keeps the target's entropy in the loss."""
    torch.manual_seed(0)
    logits_BK, labels_B, s, classes = torch.randn(8, 20), torch.arange(8), 0.1, 20
    ours = per_sample(Loss(smoothing=s), logits_BK, labels_B).mean()
    # With smoothing s' = s K / (K - 1) PyTorch's target is ours; its loss is larger by the target's entropy.
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=s * classes / (classes - 1))(logits_BK, labels_B)
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1 / 19))
    assert ours.item() == pytest.approx(theirs.item() - entropy, abs=1e-5)


def test_without_smoothing_it_is_cross_entropy() -> None:
    torch.manual_seed(0)
    logits_BK, labels_B = torch.randn(8, 10), torch.arange(8)
    expected = torch.nn.CrossEntropyLoss(reduction="none")(logits_BK, labels_B)
    assert torch.equal(per_sample(Loss(), logits_BK, labels_B), expected)


def test_a_perfect_answer_costs_nothing() -> None:
    """The divergence is zero where the softmax is the target; a cross entropy never is."""
    target = torch.full((1, 20), 0.1 / 19)
    target[0, 4] = 0.9
    assert per_sample(Loss(smoothing=0.1), target.log(), torch.tensor([4])).item() == pytest.approx(
        0, abs=1e-6
    )
