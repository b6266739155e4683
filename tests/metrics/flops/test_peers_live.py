"""The tools, really run: against what they printed elsewhere, and against our rules for them, to the operation.

Of the networks with 1001 and 1202 layers, shallower ones of the same form run here: their other units only repeat.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.errors import ResbenchError
from resbench.metrics.flops import peers
from resbench.metrics.flops.conventions import count, find_convention
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.flops.peers import Peer
from resbench.metrics.flops.reconcile import reconcile
from resbench.models.build import build
from resbench.models.observing import observe
from resbench.models.outside import open_model

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")
SHALLOWER = {"1202": "(depth=20)", "1001": "(depth=29)"}
"""A depth with at least three units a stage, instead of one that takes most of a minute."""


def installed(peer: Peer) -> Any:
    missing = pytest.mark.skipif(peer.version is None, reason=f"{peer.package} is not installed")
    return pytest.param(peer, marks=missing, id=peer.name)


PEERS = [installed(peer) for peer in peers.PEERS]
HERE = [peer for peer in peers.PEERS if peer.version is not None]


def by_rule(peer: Peer, layers: Sequence[Layer]) -> int:
    return count(find_convention(peer.name), ledger_of(layers))


def residuals(model: nn.Module, input_CHW: tuple[int, ...], layers: Sequence[Layer]) -> dict[str, Any]:
    found = reconcile(model, input_CHW, layers, peers=HERE)
    assert all(not each.reason for each in found), [each.reason for each in found]
    return {each.tool: (each.residual, each.residual_layers) for each in found if each.residual}


def test_every_peer_has_a_rule() -> None:
    for peer in peers.PEERS:
        assert peer.package in find_convention(peer.name).tool
    assert set(peers.REQUIRED) < set(peers.PEERS)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # Printed for torchvision 0.29.1's networks, 3x224x224.
        ("resnet18", (1819065856, 1825313768, 1814074344, 1824033792, 1814083944, 3628146688)),
        ("resnet50", (4111512576, 4132436968, 4089185256, 4133742592, 4089238376, 8178368512)),
    ],
)
def test_a_peer_says_of_our_module_what_it_says_of_torchvisions(
    name: str, counts: tuple[int, ...], peer: Peer
) -> None:
    expected = counts[peers.PEERS.index(peer)]
    architecture = find_architecture(name)
    found, counted = peers.measure(peer, build(architecture), architecture.input_CHW)
    assert counted.value == expected
    metric = "flops" if peer.name == "flop-counter-mode" else "macs"
    assert (found.metric, found.method, found.value) == (metric, peer.name, expected)


@pytest.mark.parametrize("name", CATALOGUED)
def test_nothing_of_a_peers_number_is_unexplained(name: str) -> None:
    deep = next((depth for depth in SHALLOWER if depth in name), "")
    architecture = find_architecture(name + SHALLOWER.get(deep, ""))
    size = tuple(min(side, 64) for side in architecture.input_CHW)
    with torch.device("meta"):
        model = build(architecture)
    assert residuals(model, size, layers_of(architecture, size)) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "size", "classes"),
    [
        ("resnet18_biased", (3, 97, 64), 20),
        ("resnet50", (3, 33, 65), 7),
        ("densenet121", (3, 65, 47), 3),
        ("cifar_resnet20", (3, 32, 32), 10),
        ("cifar_plain20", (3, 31, 17), 10),
    ],
)
def test_nothing_is_unexplained_at_odd_sizes_and_with_other_heads(
    name: str, size: tuple[int, int, int], classes: int
) -> None:
    architecture = find_architecture(name)
    model = build(architecture, classes=classes)
    assert residuals(model, size, layers_of(architecture, size, classes)) == {}


OUTSIDE = {
    # From each model's weights in torchvision 0.29.1: `_ops`, in billions, which are MACs.
    "mobilenet_v3_small": 0.057,
    "efficientnet_b0": 0.386,
    "convnext_tiny": 4.456,
    "vit_b_16": 17.564,
    "densenet121": 2.834,
    "googlenet": 1.498,
    "shufflenet_v2_x1_0": 0.145,
    "squeezenet1_0": 0.819,
    "regnet_y_400mf": 0.402,
    "swin_t": 4.491,
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_is_unexplained_of_torchvisions_networks(name: str) -> None:
    with torch.device("meta"):
        opened = open_model(f"torchvision:{name}")
    seen = observe(opened.module, opened.input_CHW)
    assert round(count(find_convention("torchvision"), ledger_of(seen.layers)) / 1e9, 3) == OUTSIDE[name]
    assert residuals(opened.module, opened.input_CHW, seen.layers) == {}


def operations_of(name: str) -> float:
    """Return `_ops` of a network's weights in torchvision."""
    from torchvision.models import get_model_weights

    weights: Any = get_model_weights(name).DEFAULT
    return float(weights.meta["_ops"])


def test_our_figures_are_those_of_torchvisions_weights() -> None:
    from torchvision.models import list_models

    both = [name for name in CATALOGUED if name in list_models()]
    assert len(both) >= 12
    for name in both:
        ledger = ledger_of(layers_of(CATALOGUED[name]))
        assert round(count(find_convention("torchvision"), ledger) / 1e9, 3) == operations_of(name), name
    assert {name: operations_of(name) for name in OUTSIDE} == OUTSIDE


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize(
    "name", ["cifar_resnet20", "cifar_resnet110_exclusive_gating(depth=8)", "densenet121"]
)
def test_a_peers_parts_are_those_of_our_rule_module_by_module(name: str, peer: Peer) -> None:
    architecture = find_architecture(name)
    model = build(architecture)
    modules = dict(model.named_modules())
    expected: Counter[str] = Counter()
    layers = layers_of(architecture, (3, 32, 32))
    for layer in layers:
        owner = layer.name
        while owner not in modules:
            owner = owner.rpartition(".")[0]
        expected[owner] += by_rule(peer, [layer])
    counted = peer.count(model, (3, 32, 32))
    assert dict(counted.by_module) == dict(+expected)
    assert sum(counted.by_module.values()) == counted.value


def test_what_a_peer_left_out_is_told() -> None:
    model = build(find_architecture("resnet18"))
    left_out = {peer.name: dict(peer.count(model, (3, 32, 32)).unsupported) for peer in peers.REQUIRED}
    assert left_out["fvcore"] == {"aten::add_": 8, "aten::max_pool2d": 1}
    assert left_out["ptflops-aten"]["aten.native_batch_norm"] == 20
    assert left_out["ptflops-pytorch"] == {}
    padded = build(find_architecture("cifar_resnet20"))
    ptflops = next(peer for peer in peers.REQUIRED if peer.name == "ptflops-pytorch")
    assert "ZeroPad" in dict(ptflops.count(padded, (3, 32, 32)).unsupported)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_peer_leaves_nothing_behind(peer: Peer, device: str, capfd: pytest.CaptureFixture[str]) -> None:
    with torch.device(device):
        model = build(find_architecture("cifar_resnet20")).train()
    attributes = [set(vars(module)) for module in model.modules()]
    state = {name: (tensor, tensor._version) for name, tensor in model.state_dict(keep_vars=True).items()}
    watched = [(torch, "matmul"), (torch, "add"), (torch.Tensor, "mul"), (nn.functional, "relu")]
    before = [getattr(owner, name) for owner, name in watched]
    random = torch.get_rng_state()
    peer.count(model, (3, 32, 32))
    assert [getattr(owner, name) for owner, name in watched] == before
    assert [set(vars(module)) for module in model.modules()] == attributes
    for name, tensor in model.state_dict(keep_vars=True).items():
        assert tensor is state[name][0]
        assert (tensor._version, tensor.grad) == (state[name][1], None)
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(torch.get_rng_state(), random)
    assert capfd.readouterr() == ("", "")
    if peer.name == "torchinfo":
        import torchinfo

        assert torchinfo.torchinfo._cached_forward_pass == {}


@pytest.mark.parametrize("peer", PEERS)
def test_a_peers_number_does_not_depend_on_the_callers_gradient_mode(peer: Peer) -> None:
    # Without gradients, attention runs as one operator that no counter sees into.
    with torch.device("meta"):
        attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with contextlib.ExitStack() as modes:
        values = []
        for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
            modes.enter_context(mode())
            values.append(peer.count(attention, (5, 8)).value)
    assert values[0] > 0
    assert values == values[:1] * 3


def test_an_interrupted_ptflops_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    from ptflops import pytorch_engine

    relu = nn.functional.relu
    seen: list[Any] = []

    def interrupt(*_arguments: Any) -> None:
        seen.append(nn.functional.relu)
        raise KeyboardInterrupt

    monkeypatch.setattr(pytorch_engine, "batch_counter_hook", interrupt)
    ptflops = next(peer for peer in peers.REQUIRED if peer.name == "ptflops-pytorch")
    with pytest.raises(KeyboardInterrupt):
        ptflops.count(build(find_architecture("cifar_plain20")), (3, 8, 8))
    assert seen[0] is not relu
    assert nn.functional.relu is relu


@pytest.mark.parametrize("peer", PEERS)
def test_a_failing_peer_says_so_in_one_line(peer: Peer, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ResbenchError, match=f"{peer.name} failed: .*Error") as caught:
        peer.count(build(find_architecture("cifar_plain20")), (4, 8, 8))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "peer", [peer for peer in peers.PEERS if peer.package != "torch"], ids=lambda peer: peer.name
)
def test_a_missing_peer_says_so(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fvcore.nn", "ptflops", "thop", "torchinfo"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ResbenchError, match=f"{peer.name} is not installed or cannot be imported"):
        peer.count(build(find_architecture("cifar_plain20")), (3, 8, 8))
