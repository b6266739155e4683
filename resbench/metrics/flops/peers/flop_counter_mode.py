"""torch's own FlopCounterMode, which sees each ATen operation."""

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resbench.metrics.flops.peers.running import Peer, PeerCount, Shape, attributed, counted, picture


def _run(model: nn.Module, input_CHW: Shape) -> PeerCount:
    mode = FlopCounterMode(display=False)
    with attributed(model, mode.get_total_flops) as by_module, mode:
        model(picture(input_CHW))
    return counted(mode.get_total_flops(), by_module)


PEERS = (Peer(name="flop-counter-mode", package="torch", run=_run),)
