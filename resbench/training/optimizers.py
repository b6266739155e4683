"""The optimisers of the recipes."""

from typing import Any

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.specs import Optimizer


def make_optimizer(
    model: nn.Module, spec: Optimizer, *, fused: bool = False, on_device: torch.device | None = None
) -> torch.optim.Optimizer:
    """Return the recipe's optimiser over every parameter.

    Args:
        model: on the device where it trains.
        spec: of the recipe.
        fused: one kernel updates all parameters.
        on_device: the learning rate is a tensor there, which a recorded step reads anew each time.

    Raises:
        ResbenchError: no such optimiser.
    """
    groups = _groups(model, spec)
    for group in groups:
        group["lr"] = spec.lr if on_device is None else torch.tensor(spec.lr, device=on_device)
    how: dict[str, Any] = {"fused": True} if fused else {}
    if spec.name == "adam":
        return torch.optim.Adam(groups, capturable=on_device is not None, **how)
    if spec.name == "sgd":
        return torch.optim.SGD(groups, momentum=spec.momentum, nesterov=spec.nesterov, **how)
    raise ResbenchError(f"unknown optimizer '{spec.name}': choose from adam, sgd")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step have this learning rate."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def restore(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Give an optimiser the moments that another had; how it updates stays as it was made here."""
    ours = [
        {name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups
    ]
    optimizer.load_state_dict(state)
    for group, kept in zip(optimizer.param_groups, ours, strict=True):
        group.update(kept)


def _groups(model: nn.Module, spec: Optimizer) -> list[dict[str, Any]]:
    every = list(model.parameters())
    if spec.decay == "all":
        return [{"params": every, "weight_decay": spec.weight_decay}]
    decayed = {
        part.weight
        for part in model.modules()
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    }
    groups = [
        {
            "params": [parameter for parameter in every if parameter in decayed],
            "weight_decay": spec.weight_decay,
        },
        {"params": [parameter for parameter in every if parameter not in decayed], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
