"""Which network a result is about, beyond its name: a name may mean another network in another version."""

from collections.abc import Sequence

from torch import nn

from resbench.architectures.layers import Layer
from resbench.results import digest


def fingerprint(module: nn.Module, layers: Sequence[Layer]) -> dict[str, str]:
    """Return what tells one network from another, for the environment record.

    Args:
        module: the network; it may hold no memory (`torch.device("meta")`).
        layers: of it, for one picture: core MACs are their sum.
    """
    return {
        "parameters": str(sum(tensor.numel() for tensor in module.parameters())),
        "core MACs": str(sum(layer.macs for layer in layers)),
        "layout": layout(module),
    }


def layout(module: nn.Module) -> str:
    """Return twelve hex digits that stand for the names and shapes of all that the network saves, in any order."""
    shapes = {name: list(tensor.shape) for name, tensor in module.state_dict().items()}
    return digest(shapes)[:12]
