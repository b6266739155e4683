"""How the views of a test picture become one answer."""

import torch
from torch import Tensor, nn


@torch.inference_mode()
def mean_logits(model: nn.Module, images_BVCHW: Tensor) -> Tensor:
    """Return the logits (B, K) of samples with V views each: the mean of the views' logits."""
    batch, views = images_BVCHW.shape[:2]
    logits: Tensor = model(images_BVCHW.flatten(0, 1))
    return logits.float().view(batch, views, -1).mean(dim=1)
