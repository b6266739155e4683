"""How the roofline and the lower bounds on other devices are shown. `resbench profile` calls these."""

from collections.abc import Iterator, Sequence

from resbench.cli.output import Format, Record, print_json, print_records
from resbench.cli.titled import print_notes, print_titled
from resbench.metrics.roofline.ceiling import Ceilings, Rate
from resbench.metrics.roofline.devices import ASSUMPTIONS, Estimate
from resbench.metrics.roofline.roof import MFU_CONVENTION, flops_utilisation
from resbench.units import percent


def show_roofline(
    ceilings: Ceilings,
    output: Format,
    *,
    core_macs: int = 0,
    latency_s: float | None = None,
    known: bool = False,
    convention: str = MFU_CONVENTION,
) -> None:
    """Print what this machine does at best and, where a latency is given, what share of it a network reaches.

    Args:
        ceilings: as measured.
        output: how it is printed.
        core_macs: of a whole batch, in one pass or in one step.
        latency_s: of the same.
        known: whether the ceilings were measured earlier, and kept.
        convention: by which `core_macs` are counted.
    """
    if output is Format.JSON:
        print_json(
            roofline_as_json(ceilings, core_macs=core_macs, latency_s=latency_s, convention=convention)
        )
        return
    if output is Format.CSV:
        print_records([_rate_base(name, rate) for name, rate in _rates(ceilings)], output)
        return
    threads = f", {ceilings.threads} thread{'s' * (ceilings.threads != 1)}" if ceilings.threads else ""
    title = f"roof of {ceilings.device}, {ceilings.precision}{threads}"
    rows = list(_roof_rows(ceilings))
    if latency_s and core_macs:
        share = flops_utilisation(core_macs, latency_s, ceilings.roof.peak)
        rows.append({"figure": "MFU", "value": percent(share, 1), "how": convention})
    print_titled(rows, output, title)
    age = "measured earlier on this machine, and kept" if known else "measured now"
    notes = [f"The roof was {age}: the best of all calls, since what else runs can only slow one."]
    if ceilings.disturbed:
        notes.append(
            f"Other programs ran: the threads had a core for {percent(ceilings.occupied, 0)} of their time. The machine may do "
            "better, so the roof was not kept, and no share of it is told: measure again when nothing else runs."
        )
    print_notes(notes, output)


def roofline_as_json(
    ceilings: Ceilings,
    *,
    core_macs: int = 0,
    latency_s: float | None = None,
    convention: str = MFU_CONVENTION,
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
        "mfu_convention": convention,
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
    print_titled(rows, output, f"{title}: estimates for other devices, not measurements")
    print_notes([f"{text[0].upper()}{text[1:]}." for text in ASSUMPTIONS], output)


def estimates_as_json(estimates: Sequence[Estimate]) -> dict[str, object]:
    """Return the estimates in base units, marked as what they are."""
    return {
        "estimates": [_estimate_base(estimate) for estimate in estimates],
        "measured": False,
        "assumptions": list(ASSUMPTIONS),
    }


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3f}"


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


def _roof_rows(ceilings: Ceilings) -> Iterator[Record]:
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
