"""How a recipe sets the weights before the first step."""

from typing import Final, Literal

import torch
from torch import nn

from resbench.errors import ResbenchError
from resbench.training.seeding import stream

DEFAULT: Final = "torch"
"""Draws nothing: each layer keeps what PyTorch gave it."""

_MODES: dict[str, Literal["fan_in", "fan_out"]] = {
    "kaiming_normal_fan_out": "fan_out",
    "kaiming_normal_fan_in": "fan_in",
}


def initialise(model: nn.Module, name: str) -> None:
    """Draw the convolutions' weights from He et al.'s normal distribution; all else keeps PyTorch's default.

    `kaiming_normal_fan_out` keeps the variance of the gradients, `kaiming_normal_fan_in` that of the activations
    (He, Zhang, Ren, Sun: Delving Deep into Rectifiers, ICCV 2015, equations 14 and 10). Batch norm starts at 1 and 0.

    Each layer draws from a stream of its own, named by the layer under the seed that torch's generator was given: two networks
    start alike wherever a layer of one name has one shape in both, however many layers the one has and the other has not. The bias of a convolution is left as its network made it.

    Raises:
        ResbenchError: no such initialisation.
    """
    if name == DEFAULT:
        return
    if name not in _MODES:
        raise ResbenchError(f"unknown initialisation '{name}': choose from {', '.join(_MODES)}, {DEFAULT}")
    seed = torch.initial_seed()
    for path, module in model.named_modules():
        with stream(seed, path):
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode=_MODES[name], nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                module.reset_parameters()
