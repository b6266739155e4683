"""The table of layers: what each one does, what it takes, what it waits for, and how near its roof it comes. No torch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind
from resbench.metrics.roofline.bytes import Cost, costs_of
from resbench.metrics.roofline.layers import Times
from resbench.metrics.roofline.roof import Bound, Roof, attainable_s, bound_of


class Line(NamedTuple):
    """One layer, or several of a kind.

    Attributes:
        name: of the layer; how many there are of a kind.
        cost: what it computes and moves.
        seconds: what it takes; None where that was not measured.
        share: of the time of all layers.
        bound: what it waits for under the roof; None without a roof.
        attainable_s: what it takes at least under the roof; None without a roof.
    """

    name: str
    cost: Cost
    seconds: float | None = None
    share: float | None = None
    bound: Bound | None = None
    attainable_s: float | None = None

    @property
    def achieved(self) -> float | None:
        """The share of the roof that it reaches; above 1 where a cache gave what the roof counts as moved."""
        if not self.seconds or self.attainable_s is None:
            return None
        return self.attainable_s / self.seconds

    @property
    def rate(self) -> float | None:
        """FLOP/s that it reaches."""
        return self.cost.flops / self.seconds if self.seconds else None


def lines_of(
    layers: Sequence[Layer],
    *,
    precision: str,
    batch_size: int,
    times: Times | None = None,
    roof: Roof | None = None,
) -> tuple[Line, ...]:
    """Return a line for each layer, in the order in which they run.

    Args:
        layers: the network's.
        precision: of weights and activations.
        batch_size: pictures in a pass.
        times: what the same layers took.
        roof: of the machine on which they did.
    """
    whole = times.sum_s if times else 0.0
    lines = []
    for at, cost in enumerate(costs_of(layers, precision, batch_size)):
        seconds = times.layers[at].seconds if times else None
        lines.append(
            Line(
                cost.name,
                cost,
                seconds,
                seconds / whole if seconds is not None and whole else None,
                bound_of(cost, roof) if roof else None,
                attainable_s(cost, roof) if roof else None,
            )
        )
    return tuple(lines)


def by_kind(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return a line for each kind of layer, the one that takes longest first; what they wait for is not summed."""
    kinds: dict[Kind, list[Line]] = {}
    for line in lines:
        kinds.setdefault(line.cost.kind, []).append(line)
    sums = [_sum(kind, some) for kind, some in kinds.items()]
    return tuple(sorted(sums, key=lambda line: line.seconds or line.attainable_s or 0.0, reverse=True))


def _sum(kind: Kind, lines: Sequence[Line]) -> Line:
    cost = Cost(
        str(kind),
        kind,
        sum(line.cost.flops for line in lines),
        sum(line.cost.weights_B for line in lines),
        sum(line.cost.read_B for line in lines),
        sum(line.cost.written_B for line in lines),
        all(line.cost.priced for line in lines),
    )
    return Line(
        f"{kind} ({len(lines)})",
        cost,
        _added(line.seconds for line in lines),
        _added(line.share for line in lines),
        None,
        _added(line.attainable_s for line in lines),
    )


def _added(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
