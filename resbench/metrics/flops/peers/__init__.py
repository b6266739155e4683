"""What other counters say of the same module: run as their users run them, one file a tool.

What each counts is a rule in `resbench.metrics.flops.rules`, under the same name. A peer works on its own copy of the model,
in float32 on the CPU, with one picture and gradients enabled, as in a script that says nothing of them: without, PyTorch
takes a fused path through attention in which no counter sees anything. It prints nothing and leaves nothing behind.
"""

from resbench.metrics.flops.peers import flop_counter_mode, fvcore, ptflops, thop, torchinfo
from resbench.metrics.flops.peers.running import Peer, PeerCount, measure

__all__ = ["PEERS", "REQUIRED", "Peer", "PeerCount", "measure"]

REQUIRED = (*fvcore.PEERS, *ptflops.PEERS)
"""Those that are installed with resbench: a profile is cross-checked with them."""

PEERS = (*REQUIRED, *thop.PEERS, *torchinfo.PEERS, *flop_counter_mode.PEERS)
