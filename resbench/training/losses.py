"""Losses of the recipes."""

import torch
from torch import Tensor
from torch.nn import functional

from resbench.specs import Loss


def per_sample(loss: Loss, logits_BK: Tensor, labels_B: Tensor) -> Tensor:
    """Return the loss of each sample, shape (B,); its mean is the batch's loss.

    With smoothing s it is the older form of label smoothing: the Kullback-Leibler divergence from the softmax to a
    target of 1 - s on the class and s / (K - 1) on each other. (`torch.nn.CrossEntropyLoss(label_smoothing=s)` puts
    s / K on all K and does not subtract the target's entropy.)
    """
    if loss.smoothing == 0:
        return functional.cross_entropy(logits_BK, labels_B, reduction="none")
    others = loss.smoothing / (logits_BK.shape[1] - 1)
    target_BK = torch.full_like(logits_BK, others).scatter_(1, labels_B[:, None], 1 - loss.smoothing)
    log_share_BK = functional.log_softmax(logits_BK, dim=1)
    return functional.kl_div(log_share_BK, target_BK, reduction="none").sum(dim=1)
