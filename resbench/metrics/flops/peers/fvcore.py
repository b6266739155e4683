"""fvcore's FlopCountAnalysis, which traces the model."""

from collections import Counter

from torch import nn

from resbench.metrics.flops.peers.running import Peer, PeerCount, Shape, counted, picture


def _run(model: nn.Module, input_CHW: Shape) -> PeerCount:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, picture(input_CHW))
    analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
    analysis.tracer_warnings("none")
    total = int(analysis.total())
    own: Counter[str] = Counter()
    for name, whole in analysis.by_module().items():
        own[name] += int(whole)
        if name:
            own[name.rpartition(".")[0]] -= int(whole)
    return counted(total, own, tuple(sorted(analysis.unsupported_ops().items())))


PEERS = (Peer(name="fvcore", package="fvcore", run=_run),)
