"""Accounting for a tool's number: the terms add up, and what they don't explain is shown with where it comes from."""

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.errors import ResbenchError
from resbench.metrics.flops.conventions import CONVENTIONS, Convention, Term, count, find_convention
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.flops.peers import PEERS, Peer, PeerCount
from resbench.metrics.flops.reconcile import CORE, ResidualLayer, reconcile, way
from resbench.models.build import build
from resbench.models.observing import observe

SIZE = (3, 32, 32)
PLAIN = find_architecture("cifar_plain20")
BY_NAME = {peer.name: peer for peer in PEERS}


def needs(tool: str) -> pytest.MarkDecorator:
    peer = BY_NAME[tool]
    return pytest.mark.skipif(peer.version is None, reason=f"{peer.package} is not installed")


def fake(value: int = 0, by_module: dict[str, int] | None = None, **fields: Any) -> Peer:
    counted = PeerCount(value=value, by_module=by_module or {}, unsupported=(("aten::add_", 2),))
    return Peer(**{"name": "fvcore", "package": "fvcore", "run": lambda *_: counted, **fields})


def test_ours_and_the_terms_and_the_residual_are_the_tools_number() -> None:
    layers = layers_of(PLAIN, SIZE)
    for found in reconcile(build(PLAIN), SIZE, layers):
        if found.value is None:
            continue
        assert found.residual == 0
        assert found.ours == sum(layer.macs for layer in layers)
        assert found.value == found.ours + sum(term.value for term in found.terms)
        assert found.residual_layers == ()


@given(convention=st.sampled_from(CONVENTIONS), name=st.sampled_from(["resnet50", "densenet121", "vgg16"]))
def test_the_way_leads_from_ours_to_any_convention(convention: Convention, name: str) -> None:
    ledger = ledger_of(layers_of(find_architecture(name)))
    steps = way(convention, ledger)
    assert count(CORE, ledger) + sum(term.value for term in steps) == count(convention, ledger)
    assert all(term.quantity for term in steps)


def test_what_a_tool_does_not_see_is_a_term_below_zero() -> None:
    from resbench.architectures.plan import Kind

    product = Layer("it", Kind.MATMUL, (4,), (4,), macs=16, operator="aten.scaled_dot_product_attention")
    assert way(find_convention("fvcore"), ledger_of([product])) == (
        Term("MACs of matrix products: not counted", -1, 16),
    )
    assert way(find_convention("flop-counter-mode"), ledger_of([product])) == (
        Term("MACs of matrix products: multiplication and addition apart", 1, 16),
    )


def test_a_residual_is_shown_with_the_modules_it_comes_from() -> None:
    model = build(PLAIN)
    layers = layers_of(PLAIN, SIZE)
    truth = BY_NAME["fvcore"].count(model, SIZE)
    planted = dict(truth.by_module) | {"fc": 640 + 7, "layer1.0": 2, "bn1": 32768 - 30}
    (found,) = reconcile(model, SIZE, layers, peers=[fake(truth.value - 21, planted)])
    assert found.residual == 7 + 2 - 30
    assert found.value == found.ours + sum(term.value for term in found.terms) + found.residual
    assert found.residual_layers == (
        ResidualLayer("bn1", "BatchNorm2d", 32768 - 30, 32768),
        ResidualLayer("fc", "Linear", 647, 640),
        ResidualLayer("layer1.0", "ResidualUnit", 2, 0),
    )
    assert [layer.difference for layer in found.residual_layers] == [-30, 7, 2]
    assert found.unsupported == (("aten::add_", 2),)


@needs("thop")
def test_thops_softmax_is_a_residual_with_its_module() -> None:
    # A softmax of n numbers is n exponentials, n - 1 additions and n divisions: the rows of our ledger have no n.
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 10), nn.Softmax(dim=1))
    (found,) = reconcile(model, (3, 2, 2), observe(model, (3, 2, 2)).layers, peers=[BY_NAME["thop"]])
    assert found.residual == 29
    assert found.residual_layers == (ResidualLayer("2", "Softmax", 29, 0),)


@needs("ptflops-pytorch")
def test_a_call_past_the_patched_function_is_a_residual_of_the_network_itself() -> None:
    class Unpatched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(12, 10)

        def forward(self, images_BCHW: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.fc(images_BCHW.flatten(1)))

    model = Unpatched()
    (found,) = reconcile(
        model, (3, 2, 2), observe(model, (3, 2, 2)).layers, peers=[BY_NAME["ptflops-pytorch"]]
    )
    assert found.residual == -10
    assert found.residual_layers == (ResidualLayer("", "Unpatched", 0, 10),)


@needs("thop")
@needs("torchinfo")
def test_a_class_with_the_name_of_one_of_pytorchs_is_no_class_that_a_tool_knows() -> None:
    class LayerNorm(nn.LayerNorm):
        pass

    model = nn.Sequential(nn.LayerNorm(4), LayerNorm(4))
    for found in reconcile(model, (6, 4), observe(model, (6, 4)).layers):
        # thop's rules are for exact classes: 4 operations for each of the first norm's 24 elements.
        expected = {"thop": 4 * 24, "torchinfo": 8 + 8, "fvcore": 2 * 5 * 24, "ptflops-pytorch": 24}
        assert (found.value, found.residual) == (expected.get(found.tool, 0), 0)


def test_a_tool_that_is_not_installed_is_named_with_the_command_to_get_it() -> None:
    absent = fake(name="thop", package="no-such-counter")
    (found,) = reconcile(build(PLAIN), SIZE, layers_of(PLAIN, SIZE), peers=[absent])
    assert found.reason == "no-such-counter is not installed: pip install no-such-counter"
    assert (found.value, found.residual, found.version) == (None, None, None)
    assert found.by_rule == count(find_convention("thop"), ledger_of(layers_of(PLAIN, SIZE)))


def test_a_tool_that_fails_says_why_and_the_others_go_on() -> None:
    def fail(*_arguments: Any) -> PeerCount:
        raise ValueError("no such thing\nat all")

    layers = layers_of(PLAIN, SIZE)
    first, second = reconcile(build(PLAIN), SIZE, layers, peers=[fake(run=fail), BY_NAME["ptflops-aten"]])
    assert (first.value, first.residual) == (None, None)
    assert first.reason == "fvcore failed: ValueError: no such thing"
    assert second.residual == 0


def test_what_runs_is_told() -> None:
    said: list[str] = []
    reconcile(build(PLAIN), SIZE, layers_of(PLAIN, SIZE), peers=[fake()], say=said.append)
    assert said == ["running fvcore"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_model_stays_as_it_is(dtype: torch.dtype) -> None:
    with torch.device("meta"):
        model = build(PLAIN).to(dtype).train()
    before = {name: id(tensor) for name, tensor in model.state_dict(keep_vars=True).items()}
    found = reconcile(model, SIZE, layers_of(PLAIN, SIZE))
    assert {each.residual for each in found} <= {0, None}
    assert {name: id(tensor) for name, tensor in model.state_dict(keep_vars=True).items()} == before
    assert all(tensor.is_meta for tensor in itertools.chain(model.parameters(), model.buffers()))
    assert all(module.training for module in model.modules())


def test_an_input_that_does_not_fit_is_every_tools_failure() -> None:
    for found in reconcile(build(PLAIN), (4, 8, 8), layers_of(PLAIN, (3, 8, 8))):
        assert found.value is None
        assert found.reason
    with pytest.raises(ResbenchError):
        BY_NAME["fvcore"].count(build(PLAIN), (4, 8, 8))
