"""How the table of layers, the roofline and the lower bounds on other devices are shown. `resbench profile` calls these."""

from collections.abc import Iterator, Sequence
from typing import Self

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.metrics.roofline.breakdown import Line, by_kind
from resbench.metrics.roofline.bytes import FLOPS_RULE
from resbench.metrics.roofline.ceiling import Ceilings, Rate
from resbench.metrics.roofline.devices import ASSUMPTIONS, Estimate
from resbench.metrics.roofline.layers import Times
from resbench.metrics.roofline.roof import MFU_CONVENTION, Bound, Roof, flops_utilisation
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
    _print_table([_row(line) for line in lines], output, f"{title}: layers in the order in which they run")
    print_line("")
    _print_table([_row(line) for line in by_kind(lines)], output, "kinds of layers, the longest first")
    _print_notes(_layer_notes(lines, times, roof), output)


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


def show_roofline(
    ceilings: Ceilings,
    output: Format,
    *,
    core_macs: int = 0,
    latency_s: float | None = None,
    known: bool = False,
) -> None:
    """Print what this machine does at best and, where a latency is given, what share of it a network reaches.

    Args:
        ceilings: as measured.
        output: how it is printed.
        core_macs: of a whole batch.
        latency_s: of a whole batch.
        known: whether the ceilings were measured earlier, and kept.
    """
    if output is Format.JSON:
        print_json(roofline_as_json(ceilings, core_macs=core_macs, latency_s=latency_s))
        return
    if output is Format.CSV:
        print_records([_rate_base(name, rate) for name, rate in _rates(ceilings)], output)
        return
    threads = f", {ceilings.threads} thread{'s' * (ceilings.threads != 1)}" if ceilings.threads else ""
    title = f"roof of {ceilings.device}, {ceilings.precision}{threads}"
    _print_table(list(_roof_rows(ceilings, core_macs, latency_s)), output, title)
    age = "measured earlier on this machine, and kept" if known else "measured now"
    notes = [f"The roof was {age}: the best of all calls, since what else runs can only slow one."]
    if ceilings.disturbed:
        notes.append(
            f"Other programs ran: the threads had a core for {percent(ceilings.occupied, 0)} of their time. The machine may do "
            "better, so the roof was not kept: measure again when nothing else runs."
        )
    _print_notes(notes, output)


def roofline_as_json(
    ceilings: Ceilings, *, core_macs: int = 0, latency_s: float | None = None
) -> dict[str, object]:
    """Return the roof, and the share of it that is reached, in base units."""
    roof = ceilings.roof
    return {
        "device": ceilings.device,
        "precision": ceilings.precision,
        "threads": ceilings.threads or None,
        "peak": roof.peak,
        "bandwidth": roof.bandwidth,
        "ridge": roof.ridge,
        "disturbed": ceilings.disturbed,
        "measured": [_rate_base(name, rate) for name, rate in _rates(ceilings)],
        "mfu": flops_utilisation(core_macs, latency_s, roof.peak) if latency_s and core_macs else None,
        "mfu_convention": MFU_CONVENTION,
    }


def show_estimates(estimates: Sequence[Estimate], output: Format, title: str) -> None:
    """Print what other devices need at least, by their data sheets: estimates, never measurements.

    Args:
        estimates: one a device.
        output: how it is printed.
        title: says which network, batch and precision.
    """
    if output is Format.JSON:
        print_json(estimates_as_json(estimates))
        return
    if output is Format.CSV:
        print_records([_estimate_base(estimate) for estimate in estimates], output)
        return
    rows = [
        {
            "device": estimate.device.title,
            "compute alone, at least": f"{_ms(estimate.compute_s)} ms",
            "through memory, at least": f"{_ms(estimate.memory_s)} ms",
            "source": f"{estimate.device.source.title} ({estimate.device.source.url})",
        }
        for estimate in estimates
    ]
    _print_table(rows, output, f"{title}: estimates for other devices, not measurements")
    _print_notes([f"{text[0].upper()}{text[1:]}." for text in ASSUMPTIONS], output)


def estimates_as_json(estimates: Sequence[Estimate]) -> dict[str, object]:
    """Return the estimates in base units, marked as what they are."""
    return {
        "estimates": [_estimate_base(estimate) for estimate in estimates],
        "measured": False,
        "assumptions": list(ASSUMPTIONS),
    }


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


def _rates(ceilings: Ceilings) -> tuple[tuple[str, Rate], ...]:
    return (
        ("convolution", ceilings.convolution),
        ("matrix product", ceilings.product),
        ("copy", ceilings.copy),
    )


def _rate_base(name: str, rate: Rate) -> Record:
    unit = "B/s" if name == "copy" else "FLOP/s"
    return {
        "ceiling": name,
        "value": rate.value,
        "unit": unit,
        "calls": rate.calls,
        "occupied": rate.occupied,
        "how": rate.how,
    }


def _roof_rows(ceilings: Ceilings, core_macs: int, latency_s: float | None) -> Iterator[Record]:
    for name, rate in _rates(ceilings):
        unit = "GB/s" if name == "copy" else "GFLOP/s"
        yield {
            "figure": name,
            "value": f"{rate.value / 1e9:,.1f} {unit}",
            "how": f"{rate.how}; {rate.calls} calls",
        }
    yield {
        "figure": "ridge",
        "value": f"{ceilings.roof.ridge:.3g} FLOP/B",
        "how": "the higher of the two peaks over the bandwidth of the copy",
    }
    if latency_s and core_macs:
        share = flops_utilisation(core_macs, latency_s, ceilings.roof.peak)
        yield {"figure": "MFU", "value": percent(share, 1), "how": MFU_CONVENTION}


def _estimate_base(estimate: Estimate) -> dict[str, object]:
    device = estimate.device
    return {
        "device": device.title,
        "compute_seconds_at_least": estimate.compute_s,
        "through_memory_seconds_at_least": estimate.memory_s,
        "source": device.source.title,
        "where": device.source.where,
        "url": device.source.url,
    }


def _print_table(records: Sequence[Record], output: Format, title: str) -> None:
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(records, output, title=title)


def _print_notes(notes: Sequence[str] | Iterator[str], output: Format) -> None:
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{note}" for note in notes))
