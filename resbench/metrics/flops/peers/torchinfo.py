"""torchinfo's summary, which hooks every module."""

from collections import Counter

from torch import nn

from resbench.metrics.flops.peers.running import Peer, PeerCount, Shape, counted, picture


def _run(model: nn.Module, input_CHW: Shape) -> PeerCount:
    import torchinfo

    names = {id(module): name for name, module in model.named_modules()}
    try:
        summary = torchinfo.summary(model, input_data=picture(input_CHW), verbose=0, device="cpu")
    finally:
        # It keeps the layers of every model that it was ever given, by class name, and has no way to be told not to.
        torchinfo.torchinfo._cached_forward_pass.pop(type(model).__name__, None)  # noqa: SLF001
    own: Counter[str] = Counter()
    for layer in summary.summary_list:
        if layer.is_leaf_layer:
            own[names[layer.layer_id]] += layer.macs
    return counted(summary.total_mult_adds, own)


PEERS = (Peer(name="torchinfo", package="torchinfo", run=_run),)
