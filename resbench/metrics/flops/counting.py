"""Counts of many settings of one network, each part of them counted once. No torch."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind
from resbench.errors import UsageError
from resbench.metrics.flops.backward import backward_count
from resbench.metrics.flops.conventions import Convention, count
from resbench.metrics.flops.ledger import Ledger, ledger_of
from resbench.metrics.flops.repeats import distinct_layers
from resbench.metrics.flops.variants import Setting

if TYPE_CHECKING:
    from resbench.architectures.description import Architecture

_Counted = dict[tuple[str, bool], int | None]
"""Values by convention, and whether of the backward pass."""


class Counts:
    """Ledgers and counts of the settings of one network, kept: its head apart from the rest, since it has no other size.

    A setting whose picture is too small for the network has no ledger, and no count.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        """Keep the layers of an observed network, which a setting without an architecture is counted on."""
        self._observed = layers
        self._parts: dict[
            tuple[int, tuple[int, ...], bool], tuple[Ledger, Layer | None, _Counted] | None
        ] = {}
        self._heads: dict[tuple[Layer, int | None], tuple[Ledger, _Counted]] = {}
        # Keys hold the identity of an architecture: its hash would take longer than a look-up may.
        self._kept: dict[int, Architecture] = {}

    def ledger(self, setting: Setting) -> Ledger:
        """Return the ledger of one picture; empty where there is none."""
        return tuple(row for part, _ in self._ledgers(setting) for row in part)

    def of(self, convention: Convention, setting: Setting) -> int | None:
        """Return the count of the whole batch; None: there is none, or the convention has no backward pass."""
        total, empty = 0, True
        for ledger, counted in self._ledgers(setting):
            empty = False
            for backward in (False, True)[: 1 + setting.backward]:
                key = (convention.name, backward)
                if key not in counted:
                    counted[key] = (
                        backward_count(convention, ledger) if backward else count(convention, ledger)
                    )
                value = counted[key]
                if value is None:
                    return None
                total += value
        return None if empty else setting.batch * total

    def _ledgers(self, setting: Setting) -> Iterator[tuple[Ledger, _Counted]]:
        architecture = setting.architecture
        key = (id(architecture), setting.input_CHW, setting.biased)
        if key not in self._parts:
            if architecture is not None:
                self._kept[id(architecture)] = architecture
            self._parts[key] = self._split(setting)
        part = self._parts[key]
        if part is None:
            return
        ledger, head, counted = part
        yield ledger, counted
        if head is not None and setting.classes != 0:
            if (head, setting.classes) not in self._heads:
                self._heads[head, setting.classes] = (ledger_of([_resized(head, setting.classes)]), {})
            yield self._heads[head, setting.classes]

    def _split(self, setting: Setting) -> tuple[Ledger, Layer | None, _Counted] | None:
        """Return the ledger without the last linear layer, and that layer."""
        layers, times = self._observed, (1,) * len(self._observed)
        if setting.architecture is not None:
            try:
                layers, times = distinct_layers(
                    setting.architecture, setting.input_CHW, setting.classes or None
                )
            except UsageError:
                return None
        if setting.biased:
            layers = [_biased(layer) for layer in layers]
        if layers and layers[-1].kind is Kind.LINEAR:
            return ledger_of(layers[:-1], times[:-1]), layers[-1], {}
        return ledger_of(layers, times), None, {}


def _resized(head: Layer, classes: int | None) -> Layer:
    if classes is None:
        return head
    features = head.inputs
    return head._replace(
        output_CHW=(classes,),
        weights=features * classes,
        macs=features * classes,
        biases=classes if head.biases else 0,
    )


def _biased(layer: Layer) -> Layer:
    return layer._replace(biases=layer.output_CHW[0]) if layer.kind is Kind.CONVOLUTION else layer
