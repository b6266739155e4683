"""The operations of one picture as measurements, under the names that stored results have for their conventions."""

from collections.abc import Sequence

from resbench.architectures.layers import Layer
from resbench.metrics.flops.conventions import count, find_convention
from resbench.metrics.flops.ledger import ledger_of
from resbench.results import Measurement, Statistic, Unit

METHODS = {"core": "core-macs", "2 x core": "flops", "voc-table": "voc-table"}
"""What results call a convention, and its name: committed results keep the names they were stored under."""


def measure(layers: Sequence[Layer]) -> tuple[Measurement, ...]:
    """Return `macs` ("core") and `flops` ("2 x core", "voc-table") of one picture."""
    ledger = ledger_of(layers)
    return tuple(
        Measurement(
            metric=convention.metric,
            value=count(convention, ledger),
            unit=Unit.ONE,
            statistic=Statistic.COMPUTED,
            method=method,
        )
        for method, convention in ((method, find_convention(name)) for method, name in METHODS.items())
    )
