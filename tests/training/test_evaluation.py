import torch
from torch import nn

from resbench.training.evaluation import mean_logits


def test_the_logits_of_the_views_are_averaged_not_their_probabilities() -> None:
    model = nn.Flatten(1)  # each view's logits are its two pixels
    views = torch.tensor([[[0.0, 4.0], [6.0, 0.0]]])[..., None, None]
    assert mean_logits(model, views).tolist() == [[3.0, 2.0]]
