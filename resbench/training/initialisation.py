"""How a recipe sets the weights before the first step."""

from typing import Final, Literal

from torch import nn

from resbench.errors import ResbenchError

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

    Raises:
        ResbenchError: no such initialisation.
    """
    if name == DEFAULT:
        return
    if name not in _MODES:
        raise ResbenchError(f"unknown initialisation '{name}': choose from {', '.join(_MODES)}, {DEFAULT}")
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=_MODES[name], nonlinearity="relu")
