"""thop, which hooks modules of PyTorch's own classes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from torch import nn

from resbench.metrics.flops.peers.running import Peer, PeerCount, Shape, counted, picture


def _run(model: nn.Module, input_CHW: Shape) -> PeerCount:
    import thop

    total, _, children = thop.profile(model, inputs=(picture(input_CHW),), verbose=False, ret_layer_info=True)
    own: Counter[str] = Counter()
    for name, part in _own(children, ""):
        own[name] += part
    return counted(total, own)


def _own(children: dict[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    """Return each module's part without that of its children, of (operations, parameters, children) by name."""
    for name, (operations, _parameters, inner) in children.items():
        yield f"{prefix}{name}", int(operations - sum(each[0] for each in inner.values()))
        yield from _own(inner, f"{prefix}{name}.")


PEERS = (Peer(name="thop", package="thop", run=_run),)
