"""Other counters beside ours: what leads from our number to each tool's, term by term, and what nothing leads to."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from torch import nn

from resbench.architectures.layers import Layer
from resbench.errors import ResbenchError
from resbench.metrics.flops.conventions import Convention, Term, Terms, count, find_convention, terms
from resbench.metrics.flops.ledger import Ledger, ledger_of
from resbench.metrics.flops.peers import PEERS, Peer, PeerCount
from resbench.models.copying import borrowed

CORE = find_convention("core-macs")


class ResidualLayer(NamedTuple):
    """A module for which a tool counts something else than our rule for that tool.

    Attributes:
        name: its dotted path; empty for what the network does itself, outside of its modules.
        module: its class.
        value: what the tool counts there, without the modules inside.
        by_rule: what our rule gives.
    """

    name: str
    module: str
    value: int
    by_rule: int

    @property
    def difference(self) -> int:
        """What is not explained."""
        return self.value - self.by_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One tool's number and the way to it from ours, for one picture: value = ours + terms + residual.

    Attributes:
        tool: its name, which is that of its convention.
        package: what pip calls it.
        version: what is installed; None: nothing.
        metric: of the tool's number: "macs" or "flops".
        value: the tool's number; None where it could not be had, and `reason` says why.
        ours: the core count, in multiply-accumulates.
        by_rule: what our rule for the tool gives.
        terms: the summands between ours and `by_rule`.
        residual_layers: where a residual that is not zero comes from, largest first.
        unsupported: what the tool says it counted as nothing, with how often it says so.
    """

    tool: str
    package: str
    version: str | None
    metric: str
    value: int | None
    ours: int
    by_rule: int
    terms: Terms
    residual_layers: tuple[ResidualLayer, ...] = ()
    unsupported: tuple[tuple[str, int], ...] = ()
    reason: str = ""

    @property
    def residual(self) -> int | None:
        """What no term explains; None where the tool has no number."""
        return None if self.value is None else self.value - self.by_rule


def _silent(_status: str) -> None:
    """Say nothing."""


def reconcile(
    model: nn.Module,
    input_CHW: tuple[int, ...],
    layers: Sequence[Layer],
    *,
    peers: Sequence[Peer] = PEERS,
    say: Callable[[str], None] = _silent,
) -> tuple[Reconciliation, ...]:
    """Run each tool that is installed, and account for its difference from our count.

    Args:
        model: the network, which is left as it is; on the meta device or any other.
        input_CHW: shape of one picture.
        layers: its layers for that picture, described (`layers_of`) or observed (`observe`).
        peers: the tools.
        say: is told what is running, for a display.

    Returns:
        One for each tool, in order, also for those that are not installed or fail: their `reason` says so.
    """
    ledger = ledger_of(layers)
    found = []
    with _on_cpu(model) as lent:
        for peer in peers:
            say(f"running {peer.name}")
            found.append(_reconciled(peer, lent, input_CHW, layers, ledger))
    return tuple(found)


def way(convention: Convention, ledger: Ledger) -> Terms:
    """Return the terms that lead from the core count to the convention's."""
    missing = {term.label: term.quantity for term in terms(CORE, ledger)}
    found = []
    for term in terms(convention, ledger):
        if term.label not in missing:
            found.append(term)
            continue
        missing[term.label] -= term.quantity
        if term.factor != 1:
            label = f"{term.label}: multiplication and addition apart"
            found.append(term._replace(label=label, factor=term.factor - 1))
    found += [Term(f"{label}: not counted", -1, quantity) for label, quantity in missing.items() if quantity]
    return tuple(found)


def _on_cpu(model: nn.Module) -> AbstractContextManager[nn.Module]:
    """Give the model where the tools run, so that not each of them has to bring it there."""
    if any(held.device.type != "cpu" for held in (*model.parameters(), *model.buffers())):
        return borrowed(model, "cpu")
    return nullcontext(model)


def _reconciled(
    peer: Peer, model: nn.Module, input_CHW: tuple[int, ...], layers: Sequence[Layer], ledger: Ledger
) -> Reconciliation:
    convention = find_convention(peer.name)
    counted, reason = None, ""
    if peer.version is None:
        reason = f"{peer.package} is not installed: pip install {peer.package}"
    else:
        try:
            counted = peer.count(model, input_CHW)
        except ResbenchError as error:
            reason = str(error)
    by_rule = count(convention, ledger)
    differs = counted is not None and counted.value != by_rule
    return Reconciliation(
        tool=peer.name,
        package=peer.package,
        version=peer.version,
        metric=convention.metric,
        value=counted.value if counted else None,
        ours=count(CORE, ledger),
        by_rule=by_rule,
        terms=way(convention, ledger),
        residual_layers=_residual_layers(model, counted, convention, layers) if counted and differs else (),
        unsupported=counted.unsupported if counted else (),
        reason=reason,
    )


def _residual_layers(
    model: nn.Module, counted: PeerCount, convention: Convention, layers: Sequence[Layer]
) -> tuple[ResidualLayer, ...]:
    modules = dict(model.named_modules())
    by_rule: Counter[str] = Counter()
    for layer in layers:
        by_rule[_owner(layer, modules)] += count(convention, ledger_of([layer]))
    found = [
        ResidualLayer(name, type(modules[name]).__name__, counted.by_module.get(name, 0), by_rule[name])
        for name in modules
    ]
    differing = [each for each in found if each.difference]
    return tuple(sorted(differing, key=lambda each: -abs(each.difference)))


def _owner(layer: Layer, modules: Container[str]) -> str:
    """Return the path of the module that does it: an addition in `layer1.0` is named `layer1.0.add`."""
    name = layer.name
    while name not in modules:
        name = name.rpartition(".")[0]
    return name
