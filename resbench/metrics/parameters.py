"""Trainable numbers of a network and their size, in closed form from the layers. No torch."""

from collections.abc import Sequence

from resbench.architectures.layers import Layer
from resbench.results import Measurement, Statistic, Unit

BYTES_EACH = 4
"""A float32. Buffers (the running statistics of batch norm) are not parameters and not in the size."""


def parameters(layers: Sequence[Layer]) -> int:
    """Return how many trainable numbers the network has."""
    return sum(layer.parameters for layer in layers)


def size(layers: Sequence[Layer]) -> int:
    """Return the size of the parameters in bytes, as float32."""
    return BYTES_EACH * parameters(layers)


def measure(layers: Sequence[Layer], total: int | None = None) -> tuple[Measurement, ...]:
    """Return `parameters` and `size`.

    Args:
        layers: of the network.
        total: how many trainable numbers it has, where some may be in no layer that runs; default: the layers' sum.
    """
    total = parameters(layers) if total is None else total
    return (
        Measurement(
            metric="parameters",
            value=total,
            unit=Unit.ONE,
            statistic=Statistic.COMPUTED,
            method="trainable numbers",
        ),
        Measurement(
            metric="size",
            value=BYTES_EACH * total,
            unit=Unit.BYTE,
            statistic=Statistic.COMPUTED,
            method="parameters x 4 bytes",
        ),
    )
