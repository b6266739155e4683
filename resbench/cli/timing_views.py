"""How measured times are shown: the lines of one case, and what is said of it."""

from collections.abc import Iterator, Sequence

from resbench.cli.output import Record
from resbench.metrics.latency.disturbance import Surroundings
from resbench.metrics.latency.intervals import Estimate, quartiles
from resbench.results import Environment, Measurement
from resbench.trial.findings import Finding
from resbench.trial.noise import Floor
from resbench.units import percent, with_interval

TITLES = {
    "device_time": "device time",
    "step_forward": "forward of a step",
    "step_backward": "backward of a step",
    "step_optimizer": "optimiser of a step",
    "cold_load": "cold start: load",
    "cold_prepare": "cold start: prepare",
    "cold_compile": "cold start: compile",
    "cold_first_call": "cold start: first call",
}
"""Metrics of a case besides latency and throughput, as a person reads them; all are times."""


def timing_lines(measurements: Sequence[Measurement]) -> Iterator[Record]:
    """Yield a line of the table of one case for each time besides latency and throughput."""
    for found in measurements:
        if title := TITLES.get(found.metric):
            value = f"{scaled(found, 1e3)} ms"
            yield {
                "figure": title,
                "value": value,
                "n": found.n,
                "how": ("" if found.low is None else "median [95 % interval]; ") + found.method,
            }


def scaled(found: Measurement, scale: float) -> str:
    """Return a value with its interval in a display unit, with no more digits than the interval supports."""
    low, high = (None if end is None else scale * end for end in (found.low, found.high))
    return with_interval(scale * found.value, low, high)


def finding_as_json(finding: Finding, floor: Floor | None) -> dict[str, object]:
    """Return what was measured of one case, in base units, under keys that stay."""
    return {
        **dict.fromkeys(("device_time",)),
        **{found.metric: distribution(found) for found in finding.measurements},
        "percentiles": {f"p{100 * found.share:g}": found.value for found in finding.percentiles},
        "bound": str(finding.diagnosis.bound) if finding.diagnosis else None,
        "evidence": finding.diagnosis.evidence if finding.diagnosis else None,
        "speed": dict(zip(("ratio", "low", "high"), finding.speed, strict=True)) if finding.speed else None,
        "difference": difference(finding, floor) or None,
        "failure": finding.failure._asdict() if finding.failure else None,
        "criterion_not_met": finding.criterion or None,
        "disturbed_share": finding.disturbed,
    }


def distribution(found: Measurement) -> dict[str, object]:
    """Return a median with its interval and quartiles."""
    first, third = quartiles(found.samples)
    unit = "images/s" if found.metric in ("throughput", "input_rate") else str(found.unit)
    return {
        "median": found.value,
        "low": found.low,
        "high": found.high,
        "first_quartile": first,
        "third_quartile": third,
        "n": found.n,
        "unit": unit,
        "method": found.method,
    }


def difference(finding: Finding, floor: Floor | None) -> str:
    """Say whether a case differs from the first one: faster, slower, or not shown to; empty where there is no ratio."""
    return "" if finding.speed is None else verdict(finding.speed, floor)


def verdict(speed: Estimate, floor: Floor | None) -> str:
    """Say what a ratio of speeds shows, beside its interval and this machine's noise."""
    if speed.low <= 1 <= speed.high:
        return "none shown"
    if floor is not None and floor.holds(speed.value):
        return "within noise"
    return "faster" if speed.value > 1 else "slower"


def timing_notes(finding: Finding, label: str = "") -> Iterator[str]:
    """Yield the sentences that belong to one case."""
    head = f"{label}: " if label else ""
    if finding.diagnosis is not None:
        yield f"{head}{finding.diagnosis.bound}: {finding.diagnosis.evidence}."
    if len(finding.percentiles) > 1:
        each = ", ".join(
            f"p{100 * found.share:g} {1e3 * found.value:.3g} ms" for found in finding.percentiles
        )
        latency = finding.find("latency")
        many = f" ({latency.n})" if latency else ""
        yield f"{head}Latency of single calls, as far as their number{many} supports it: {each}."
    if finding.criterion:
        yield f"{head}Not as precise as asked for: {finding.criterion}."
    if finding.disturbed:
        yield f"{head}Disturbed, also when measured again: {percent(finding.disturbed, 0)} of the rounds."
    yield from (f"{head}{note}" for note in finding.notes)


def surroundings_as_json(blocks: Sequence[Surroundings]) -> list[dict[str, object]]:
    """Return what went on beside each block that was kept, in order, in base units."""
    return [
        {
            "load": around.load,
            "foreign_cores": around.foreign_cores,
            "cpu": around.cpu._asdict(),
            "gpu": None if around.gpu is None else around.gpu._asdict(),
            "disturbed_by": list(around.reasons),
        }
        for around in blocks
    ]


def environment_lines(environment: Environment) -> Iterator[str]:
    """Yield the machine, the software, the settings, the state and the network's fingerprint, a line each, as far as recorded."""
    commit = {"commit": environment.commit + (", changed since" if environment.changed else "")}
    for title, facts in (
        ("Machine", environment.machine),
        ("Software", {**environment.software, **(commit if environment.commit else {})}),
        ("Settings", environment.settings),
        *((("State", environment.state),) if environment.state else ()),
        *((("Network", environment.model),) if environment.model else ()),
    ):
        yield f"{title}: " + "; ".join(f"{name} {value}" for name, value in facts.items()) + "."
