"""How a measurement stands beside an earlier one: what differs first, then the ratio."""

from collections.abc import Sequence
from pathlib import Path

from resbench.cli.differing_views import differing_line
from resbench.cli.output import Format, Record, print_line, print_records
from resbench.cli.sections import Section
from resbench.cli.timing_views import verdict
from resbench.metrics.latency.intervals import median_over_processes
from resbench.reporting.differing import difference_rows
from resbench.trial.against import Against
from resbench.trial.noise import Floor
from resbench.units import with_interval

_READING = (
    "Speed: how many times as fast it is now, per image; 95 % interval from the processes of both. The two were not measured "
    "side by side: what the machine did between them is not in the interval. What was as timed then is compared as timed."
)


def against_section(found: Sequence[Against], file: Path, floor: Floor | None) -> Section:
    """Return what is shown of cases beside earlier ones.

    Args:
        found: one a case that has its like.
        file: that holds the earlier ones.
        floor: of this machine's noise, where it is known.
    """

    def show(output: Format) -> None:
        bullet = "* " if output is Format.MARKDOWN else ""
        print_line("")
        for each in found:
            print_line(f"{bullet}{differing_line('then', _now(each), each.differences)}")
        print_line("")
        print_records([_row(each, floor) for each in found], output, title=f"against {file.name}")
        print_line(f"\n{bullet}{_READING}")

    return Section(show, {"against": {"file": file.name, "cases": [_as_json(each, floor) for each in found]}})


def _now(each: Against) -> str:
    return f"{each.now.label} now"


def _row(each: Against, floor: Floor | None) -> Record:
    then = median_over_processes(each.then.latencies_s)
    return {
        "case": each.now.label,
        "n_then": sum(map(len, each.then.latencies_s)),
        "n_now": each.calls,
        "measured": each.then.started[:16].replace("T", " ") or "earlier",
        "latency_then_ms": with_interval(*(1e3 * end for end in then)),
        "speed": with_interval(*each.speed),
        "difference": verdict(each.speed, floor),
    }


def _as_json(each: Against, floor: Floor | None) -> dict[str, object]:
    return {
        "case": each.now.label,
        "differences": difference_rows(each.differences, ("then", "now")),
        "speed": dict(zip(("ratio", "low", "high"), each.speed, strict=True)),
        "calls": {"then": sum(map(len, each.then.latencies_s)), "now": each.calls},
        "difference": verdict(each.speed, floor),
    }
