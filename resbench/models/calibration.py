"""Random weights that act like a network at work: signals of ordinary size, and outputs that depend on the picture.

As it is initialised, a deep network in evaluation mode is degenerate: batch-norm has not seen any data, signals shrink
to nothing (after 56 plain layers the logits are the last bias), and a backend could leave out whole blocks unseen.
"""

from functools import partial
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

PICTURES: Final = 4
"""How many pictures the statistics are taken from."""

MEAN_SHARE: Final = 0.5
"""How much of the mean of its inputs a batch-norm subtracts.

Subtracting all of it makes deep random networks chaotic: each layer amplifies a difference by about 1.2 (Yang et al.
2019, "A mean field theory of batch normalization"), so that no two correct backends agree. Subtracting none makes all
pictures look alike.
"""

_SCALED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_NORMS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)


def random_pictures(shape_BCHW: tuple[int, int, int, int], seed: int) -> Tensor:
    """Return pictures of variance 1, each with its own colour, coarse shapes and fine noise.

    Fine noise alone averages out: networks tell such pictures hardly apart.
    """
    batch, channels, height, width = shape_BCHW
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(seed))
    coarse = draw((batch, channels, 4, 4))
    shapes = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    mixed = draw((batch, channels, 1, 1)) + shapes + draw(shape_BCHW)
    return mixed / mixed.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp_min(1e-6)


def calibrate(module: nn.Module, input_CHW: tuple[int, int, int], seed: int = 0) -> None:
    """Give a network of random weights the statistics that it has on random pictures, in one forward pass.

    The variance of each batch-norm becomes that of its input about the mean that it subtracts, `MEAN_SHARE` of the
    input's; a scale of zero, which hides a branch, becomes one, and weights of zero, which hide all before them, are drawn. Without any normalisation the weights of each layer are
    scaled instead, until its output without bias has a root mean square of 1 (Mishkin and Matas 2015, LSUV).

    Args:
        module: a network in float32 on the CPU; it is in evaluation mode afterwards.
        input_CHW: one picture.
        seed: of the pictures, and of weights that were zero.
    """
    module.eval()
    parts = list(module.modules())
    _fill_zeros(parts, seed)
    if any(isinstance(part, _NORMS) for part in parts):
        hooks = [part.register_forward_pre_hook(_settle) for part in parts if isinstance(part, _BatchNorm)]
    else:
        hooks = [part.register_forward_hook(_scale) for part in parts if isinstance(part, _SCALED)]
    try:
        with torch.no_grad():
            module(random_pictures((PICTURES, *input_CHW), seed))
    finally:
        for hook in hooks:
            hook.remove()


def _fill_zeros(parts: list[nn.Module], seed: int) -> None:
    """Draw weights that are all zero, as some networks' heads are, so that they keep the variance of their input."""
    generator = torch.Generator().manual_seed(seed)
    for part in parts:
        if isinstance(part, _SCALED) and not part.weight.any():
            nn.init.normal_(part.weight, std=part.weight[0].numel() ** -0.5, generator=generator)


def _settle(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert isinstance(norm, _BatchNorm)
    if norm.running_mean is None or norm.running_var is None:
        return
    values_CN = inputs[0].transpose(0, 1).flatten(1)
    mean_C = values_CN.mean(1)
    subtracted_C = MEAN_SHARE * mean_C
    norm.running_mean.copy_(subtracted_C)
    norm.running_var.copy_((values_CN - subtracted_C[:, None]).square().mean(1))
    if norm.weight is not None and not norm.weight.any():
        norm.weight.fill_(1)


def _scale(layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    assert isinstance(layer, _SCALED)
    bias = torch.zeros(1) if layer.bias is None else layer.bias
    if not isinstance(layer, nn.Linear):
        bias = bias.reshape(-1, *(1,) * (layer.weight.dim() - 2))
    unbiased = output - bias
    size = unbiased.square().mean().sqrt().clamp_min(1e-12)
    layer.weight.div_(size)
    return unbiased / size + bias
