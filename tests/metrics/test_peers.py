"""fvcore and ptflops, really run, against what they printed elsewhere and against our rules for them."""

import sys
from typing import Any

import pytest
import torch
from torch import nn

from resbench.architectures.layers import layers_of
from resbench.errors import ResbenchError
from resbench.metrics import peers
from resbench.metrics.flops import PEER_RULES
from resbench.models.build import build, find_architecture

PEERS = {peer.name: peer for peer in peers.PEERS}
RULES = {rule.name: rule for rule in PEER_RULES}


def test_every_peer_has_a_rule() -> None:
    assert list(PEERS) == list(RULES)


@pytest.mark.parametrize(
    ("name", "peer", "macs"),
    [
        # Printed for torchvision 0.29.1's networks by fvcore 0.1.5.post20221221 and ptflops 0.7.5.
        ("resnet18", "fvcore", 1_819_065_856),
        ("resnet50", "fvcore", 4_111_512_576),
        ("resnet18", "ptflops-pytorch", 1_825_313_768),
        ("resnet50", "ptflops-pytorch", 4_132_436_968),
        ("resnet18", "ptflops-aten", 1_814_073_344 + 1000),
        ("resnet50", "ptflops-aten", 4_089_184_256 + 1000),
    ],
)
def test_a_peer_says_of_our_module_what_it_says_of_torchvisions(name: str, peer: str, macs: int) -> None:
    architecture = find_architecture(name)
    found, counted = peers.measure(PEERS[peer], build(architecture), architecture.input_CHW)
    assert counted.macs == macs
    assert (found.metric, found.method, found.value) == ("macs", peer, macs)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize(
    ("name", "size", "classes"),
    [
        ("resnet18_biased", (3, 97, 64), 20),
        ("resnet50", (3, 33, 65), 7),
        ("cifar_resnet20", (3, 32, 32), 10),
        ("cifar_plain20", (3, 31, 17), 10),
    ],
)
def test_our_rules_leave_nothing_of_a_peers_number_unexplained(
    peer: str, name: str, size: tuple[int, int, int], classes: int
) -> None:
    architecture = find_architecture(name)
    counted = PEERS[peer].count(build(architecture, classes=classes), size)
    assert counted.macs == RULES[peer].count(layers_of(architecture, size, classes))


def test_what_a_peer_left_out_is_told() -> None:
    architecture = find_architecture("resnet18")
    model = build(architecture)
    left_out = {name: dict(PEERS[name].count(model, (3, 32, 32)).unsupported) for name in PEERS}
    assert left_out["fvcore"] == {"aten::add_": 8, "aten::max_pool2d": 1}
    assert left_out["ptflops-aten"]["aten.native_batch_norm"] == 20
    assert left_out["ptflops-pytorch"] == {}
    plain = build(find_architecture("cifar_resnet20"))
    assert "ZeroPad" in dict(PEERS["ptflops-pytorch"].count(plain, (3, 32, 32)).unsupported)


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_leaves_nothing_behind(peer: str, capfd: pytest.CaptureFixture[str]) -> None:
    model = build(find_architecture("cifar_resnet20")).train()
    attributes = [set(vars(module)) for module in model.modules()]
    watched = [(torch, "matmul"), (torch, "add"), (torch.Tensor, "mul"), (nn.functional, "relu")]
    before = [getattr(owner, name) for owner, name in watched]
    PEERS[peer].count(model, (3, 32, 32))
    assert [getattr(owner, name) for owner, name in watched] == before
    assert [set(vars(module)) for module in model.modules()] == attributes
    assert model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_ptflops_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    from ptflops import pytorch_engine

    relu = nn.functional.relu
    seen: list[Any] = []

    def interrupt(_model: Any, _images: Any) -> None:
        seen.append(nn.functional.relu)
        raise KeyboardInterrupt

    monkeypatch.setattr(pytorch_engine, "batch_counter_hook", lambda *_arguments: interrupt(None, None))
    with pytest.raises(KeyboardInterrupt):
        PEERS["ptflops-pytorch"].count(build(find_architecture("cifar_plain20")), (3, 8, 8))
    assert seen[0] is not relu
    assert nn.functional.relu is relu


@pytest.mark.parametrize("peer", PEERS)
def test_a_failing_peer_says_so_in_one_line(peer: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ResbenchError, match=f"{peer} failed: RuntimeError: .*3 channels") as caught:
        PEERS[peer].count(build(find_architecture("cifar_plain20")), (4, 8, 8))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("peer", PEERS)
def test_a_missing_peer_says_so(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fvcore.nn", "ptflops"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ResbenchError, match=f"{peer} is not installed or cannot be imported"):
        PEERS[peer].count(build(find_architecture("cifar_plain20")), (3, 8, 8))
