"""How the table of layers is shown. `resbench profile --layers` calls this."""

from collections.abc import Iterator, Sequence
from typing import Self

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.titled import print_notes, print_titled
from resbench.metrics.roofline.breakdown import Line, by_kind
from resbench.metrics.roofline.bytes import FLOPS_RULE
from resbench.metrics.roofline.layers import Times
from resbench.metrics.roofline.roof import Bound, Roof
from resbench.units import percent

CLOSE = 0.1
"""How near the layers' sum must come to the whole for their times to be taken as they are."""


def show_layers(
    lines: Sequence[Line], times: Times | None, roof: Roof | None, output: Format, title: str
) -> None:
    """Print the table of layers, then that of kinds, then what a reader must know.

    Args:
        lines: a line for each layer.
        times: what the layers took, where that was measured.
        roof: of this machine, where it was measured.
        output: how it is printed; csv has base units and the layers alone, json has all in base units.
        title: says which network, batch, precision and device.
    """
    if output is Format.JSON:
        print_json(layers_as_json(lines, times, roof))
        return
    if output is Format.CSV:
        print_records([_base(line) for line in lines], output)
        return
    print_titled([_row(line) for line in lines], output, f"{title}: layers in the order in which they run")
    print_line("")
    print_titled([_row(line) for line in by_kind(lines)], output, "kinds of layers, the longest first")
    print_notes(_layer_notes(lines, times, roof), output)


def layers_as_json(lines: Sequence[Line], times: Times | None, roof: Roof | None) -> dict[str, object]:
    """Return all of the table of layers, in base units, under keys that stay."""
    found: dict[str, object] = {
        "flops_rule": FLOPS_RULE,
        "layers": [_base(line) for line in lines],
    }
    if times:
        found["times"] = {
            "sum_s": times.sum_s,
            "whole_s": times.whole_s,
            "sum_of_whole": times.coverage,
            "watched_s": times.watched_s,
            "in_no_layer_s": dict(times.others),
            "passes": times.n,
            "method": times.method,
        }
    if roof:
        found["roof"] = {"peak": roof.peak, "bandwidth": roof.bandwidth, "ridge": roof.ridge}
    return found


class _Figure(float):
    """A number that a table sets to the right, shown as the text says."""

    text: str

    def __new__(cls, value: float, text: str) -> Self:
        """Return the number with its text."""
        figure = super().__new__(cls, value)
        figure.text = text
        return figure

    def __str__(self) -> str:
        """Return the text."""
        return self.text


def _row(line: Line) -> Record:
    cost = line.cost
    return {
        "layer": line.name,
        "kind": str(cost.kind),
        "time_ms": _decimals(line.seconds, 1e3, 3),
        "share_%": _decimals(line.share, 100, 1),
        "GFLOP": _decimals(cost.flops if cost.priced else None, 1e-9, 4),
        "MB": _decimals(cost.moved, 1e-6, 3),
        "FLOP/B": _decimals(cost.intensity, 1, 2),
        "bound": "" if line.bound is None else str(line.bound),
        "at_best_ms": _decimals(line.attainable_s, 1e3, 3),
        "of_roof_%": _decimals(line.achieved, 100, 0),
    }


def _decimals(value: float | None, scale: float, digits: int) -> _Figure | None:
    return None if value is None else _Figure(value, f"{scale * value:,.{digits}f}")


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3f}"


def _base(line: Line) -> dict[str, object]:
    cost = line.cost
    return {
        "layer": line.name,
        "kind": str(cost.kind),
        "seconds": line.seconds,
        "share": line.share,
        "flops": cost.flops if cost.priced else None,
        "weights_bytes": cost.weights_B,
        "read_bytes": cost.read_B,
        "written_bytes": cost.written_B,
        "intensity": cost.intensity,
        "bound": None if line.bound is None else str(line.bound),
        "attainable_seconds": line.attainable_s,
        "of_roof": line.achieved,
    }


def _layer_notes(lines: Sequence[Line], times: Times | None, roof: Roof | None) -> Iterator[str]:
    if times:
        beside = sum(times.others.values())
        yield (
            f"The layers add up to {_ms(times.sum_s)} ms, {percent(times.coverage, 1)} of a whole pass that is not "
            f"watched ({_ms(times.whole_s)} ms); watched it takes {_ms(times.watched_s)} ms. In no layer, as views and "
            f"copies: {_ms(beside)} ms. The rest is Python between the operators."
        )
        if abs(times.coverage - 1) > CLOSE:
            yield (
                f"That is more than {percent(CLOSE, 0)} off: another program ran meanwhile, or the layers are so small that "
                "Python between them, or the profiler's own work, is not. Take shares, not times, from this table."
            )
        yield f"Times: {times.method}; {times.n} passes."
    yield f"FLOPs: {FLOPS_RULE}. MB (10**6 bytes): weights, inputs and outputs of each layer once; nothing is fused."
    if roof:
        yield (
            f"Bound: memory below {roof.ridge:.3g} FLOP/B, the ridge of the measured roof, compute above. Above 100 % of the "
            "roof: a cache gave what is counted as moved through memory, or the library found a way with fewer operations."
        )
    if any(line.bound is Bound.UNKNOWN for line in lines):
        yield "Of layers of unknown kind the bytes are counted, and no operations."
