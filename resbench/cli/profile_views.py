"""How a profile is shown: for a person as a table with its reasons, for a program in base units."""

from collections.abc import Iterator, Mapping

from resbench.cli.flops_views import written_out
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.timing_views import distribution, environment_lines, scaled, timing_lines
from resbench.metrics.flops.conventions import Convention, count, find_convention, terms
from resbench.metrics.flops.ledger import Ledger, ledger_of
from resbench.metrics.flops.terms import WEIGHTED
from resbench.metrics.latency.intervals import quartiles
from resbench.models.layering import layered
from resbench.results import Measurement, Result, plain
from resbench.specs import Profiling
from resbench.units import MB, MIB, giga, mebibytes, thousands

CORE = find_convention("core-macs")
CONVENTIONS = {
    "core-macs": CORE,
    "2 x core": find_convention("flops"),
    "voc-table": find_convention("voc-table"),
}
"""The counts of a profile, under the names that its JSON has for them."""

CROSS_CHECKS = tuple(find_convention(name) for name in ("fvcore", "ptflops-pytorch", "ptflops-aten"))
"""The rules of the tools that a profile is cross-checked with."""


def show(
    result: Result, profiling: Profiling, output: Format, more: Mapping[str, object] | None = None
) -> None:
    """Print a profile on standard output; `more` are further keys of its JSON."""
    ledger = _ledger(result, profiling)
    if output is Format.JSON:
        print_json({**as_json(result, profiling, ledger), **(more or {})})
        return
    if output is Format.CSV:
        print_records([_row(found) for found in result.measurements], output)
        return
    title = _title(result, profiling)
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(list(_table(result, ledger)), output, title=title)
    bullet = "* " if output is Format.MARKDOWN else ""
    lines = (*environment_lines(result.environment), *result.notes)
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in lines))


def as_json(result: Result, profiling: Profiling, ledger: Ledger) -> dict[str, object]:
    """Return all of a profile but the raw samples, in base units, under keys that stay."""
    size, core = _value(result, "size"), _value(result, "macs", "core")
    memory = result.find("peak_memory")
    asked = {name: result.experiment[name] for name in ("model", "device", "precision", "seed")}
    return {
        **asked,
        "batch_size": profiling.batch_size,
        "input": "x".join(map(str, profiling.input_CHW)),
        "num_classes": profiling.num_classes,
        "parameters": _value(result, "parameters"),
        "size_bytes": size,
        "size_mib": round(size / MIB, 3),
        "core_macs": core,
        "conventions": {
            name: {convention.metric: count(convention, ledger), "rule": convention.rule}
            for name, convention in CONVENTIONS.items()
        },
        "cross_check": {
            rule.name: {
                "macs": int(found.value),
                "rule": rule.rule,
                "by_rule": count(rule, ledger),
                "unexplained": int(found.value) - count(rule, ledger),
            }
            for rule in CROSS_CHECKS
            if (found := result.find("macs", rule.name))
        },
        "peak_memory_bytes": int(memory.value) if memory else None,
        "peak_memory_method": memory.method if memory else None,
        **{
            name: distribution(found) if (found := result.find(name)) else None
            for name in ("latency", "throughput")
        },
        "environment": plain(result.environment),
        "started": result.started,
        "seconds": result.seconds,
        "notes": list(result.notes),
    }


def _ledger(result: Result, profiling: Profiling) -> Ledger:
    model = layered(result.experiment["model"], profiling.input_CHW, profiling.num_classes)
    return ledger_of(model.layers)


def _value(result: Result, metric: str, method: str | None = None) -> int:
    found = result.find(metric, method)
    if found is None:
        raise ValueError(f"a profile without {metric}")
    return int(found.value)


def _row(found: Measurement) -> Record:
    return {
        "metric": found.metric,
        "method": found.method,
        "value": found.value,
        "unit": str(found.unit),
        "statistic": str(found.statistic),
        "n": found.n,
        "low": found.low,
        "high": found.high,
    }


def _title(result: Result, profiling: Profiling) -> str:
    asked = result.experiment
    size = "x".join(map(str, profiling.input_CHW))
    classes = "" if profiling.num_classes is None else f", {profiling.num_classes} classes"
    return (
        f"{asked['model']}: input {size}{classes}, batch {profiling.batch_size}, "
        f"{asked['precision']}, {asked['device']}"
    )


def _table(result: Result, ledger: Ledger) -> Iterator[Record]:
    yield _line("parameters", thousands(_value(result, "parameters")), "trainable numbers")
    yield _line(
        "size", _size(_value(result, "size")), "4 bytes a parameter; 1 MiB = 2**20 bytes, 1 MB = 10**6"
    )
    for name, convention in CONVENTIONS.items():
        label = "MACs (core)" if convention is CORE else f"FLOPs ({name})"
        yield _line(label, _operations(count(convention, ledger)), convention.rule)
    for rule in CROSS_CHECKS:
        if found := result.find("macs", rule.name):
            yield _line(
                f"MACs by {rule.name}", _operations(int(found.value)), _difference(found, rule, ledger)
            )
    yield from _measured(result)


def _measured(result: Result) -> Iterator[Record]:
    if memory := result.find("peak_memory"):
        size = f"{memory.value / MIB:,.1f} MiB ({memory.value / MB:,.1f} MB)"
        yield _line("peak memory", size, memory.method, memory.n)
    for name, unit, scale in (("latency", "ms", 1e3), ("throughput", "images/s", 1.0)):
        if found := result.find(name):
            first, third = (scale * quartile for quartile in quartiles(found.samples))
            value = f"{scaled(found, scale)} {unit}"
            how = f"median [95 % interval]; quartiles {first:.4g}, {third:.4g}; {found.method}"
            yield _line(name, value, how, found.n)
    yield from timing_lines(result.measurements)


def _difference(found: Measurement, rule: Convention, ledger: Ledger) -> str:
    """Return what a tool counts beyond the core, and whether its rule accounts for all of it."""
    beyond = int(found.value) - count(CORE, ledger)
    unexplained = int(found.value) - count(rule, ledger)
    rest = "" if unexplained == 0 else f"; {unexplained:+,} unexplained"
    added = written_out(tuple(term for term in terms(rule, ledger) if term.label != WEIGHTED))
    return f"core {'-' if beyond < 0 else '+'} {abs(beyond):,} ({added}{rest})"


def _size(size_B: int) -> str:
    return f"{mebibytes(size_B)} MiB ({size_B / MB:.3f} MB)"


def _line(figure: str, value: str, how: str, n: int | None = None) -> Record:
    return {"figure": figure, "value": value, "n": n, "how": how}


def _operations(count: int) -> str:
    return f"{giga(count)} G ({thousands(count)})"
