"""How a profile is shown: for a person as a table with its reasons, for a program in base units."""

from collections.abc import Iterator, Sequence

from resbench.architectures.layers import Layer, layers_of
from resbench.catalog import find
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.metrics.flops import CONVENTIONS, CORE, PEER_RULES, TWICE_CORE, VOC_TABLE, Convention
from resbench.metrics.latency import quartiles
from resbench.results import Measurement, Result, plain
from resbench.specs import Profiling
from resbench.units import MIB, giga, mebibytes, thousands, with_interval


def show(result: Result, profiling: Profiling, output: Format) -> None:
    """Print a profile on standard output."""
    layers = _layers(result, profiling)
    if output is Format.JSON:
        print_json(as_json(result, profiling, layers))
        return
    if output is Format.CSV:
        print_records([_row(found) for found in result.measurements], output)
        return
    title = _title(result, profiling)
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(list(_table(result, layers)), output, title=title)
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in (*_environment(result), *result.notes)))


def as_json(result: Result, profiling: Profiling, layers: Sequence[Layer]) -> dict[str, object]:
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
            convention.name: {
                convention.metric: convention.count(layers),
                "rule": convention.rule,
            }
            for convention in CONVENTIONS
        },
        "cross_check": {
            rule.name: {
                "macs": int(found.value),
                "rule": rule.rule,
                "by_rule": rule.count(layers),
                "unexplained": int(found.value) - rule.count(layers),
            }
            for rule in PEER_RULES
            if (found := result.find("macs", rule.name))
        },
        "peak_memory_bytes": int(memory.value) if memory else None,
        "peak_memory_method": memory.method if memory else None,
        "latency": _distribution(result, "latency", "s"),
        "throughput": _distribution(result, "throughput", "images/s"),
        "environment": plain(result.environment),
        "started": result.started,
        "seconds": result.seconds,
        "notes": list(result.notes),
    }


def _layers(result: Result, profiling: Profiling) -> tuple[Layer, ...]:
    architecture = find("model", "architectures", "ARCHITECTURES", result.experiment["model"])
    return layers_of(architecture, profiling.input_CHW, profiling.num_classes)


def _value(result: Result, metric: str, method: str | None = None) -> int:
    found = result.find(metric, method)
    if found is None:
        raise ValueError(f"a profile without {metric}")
    return int(found.value)


def _distribution(result: Result, metric: str, unit: str) -> dict[str, object] | None:
    found = result.find(metric)
    if found is None:
        return None
    first, third = quartiles(found.samples)
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
    return (
        f"{asked['model']}: input {size}, {profiling.num_classes} classes, batch {profiling.batch_size}, "
        f"{asked['precision']}, {asked['device']}"
    )


def _table(result: Result, layers: Sequence[Layer]) -> Iterator[Record]:
    yield _line("parameters", thousands(_value(result, "parameters")), "trainable numbers")
    yield _line(
        "size", f"{mebibytes(_value(result, 'size'))} MiB", "4 bytes a parameter; 1 MiB = 2**20 bytes"
    )
    for label, convention in (
        ("MACs (core)", CORE),
        ("FLOPs (2 x core)", TWICE_CORE),
        ("FLOPs (voc-table)", VOC_TABLE),
    ):
        yield _line(label, _operations(convention.count(layers)), convention.rule)
    for rule in PEER_RULES:
        if found := result.find("macs", rule.name):
            yield _line(
                f"MACs by {rule.name}", _operations(int(found.value)), _difference(found, rule, layers)
            )
    yield from _measured(result)


def _measured(result: Result) -> Iterator[Record]:
    if memory := result.find("peak_memory"):
        yield _line("peak memory", f"{memory.value / MIB:,.1f} MiB", memory.method, memory.n)
    for name, unit, scale in (("latency", "ms", 1e3), ("throughput", "images/s", 1.0)):
        if found := result.find(name):
            low, high = (None if end is None else scale * end for end in (found.low, found.high))
            first, third = (scale * quartile for quartile in quartiles(found.samples))
            value = f"{with_interval(scale * found.value, low, high)} {unit}"
            how = f"median [95 % interval]; quartiles {first:.4g}, {third:.4g}; {found.method}"
            yield _line(name, value, how, found.n)


def _difference(found: Measurement, rule: Convention, layers: Sequence[Layer]) -> str:
    """Return what a tool counts beyond the core, and whether its rule accounts for all of it."""
    beyond = int(found.value) - CORE.count(layers)
    unexplained = int(found.value) - rule.count(layers)
    rest = "" if unexplained == 0 else f"; {unexplained:+,} unexplained"
    return f"core {'-' if beyond < 0 else '+'} {abs(beyond):,} ({rule.rule.removeprefix('core + ')}{rest})"


def _line(figure: str, value: str, how: str, n: int | None = None) -> Record:
    return {"figure": figure, "value": value, "n": n, "how": how}


def _operations(count: int) -> str:
    return f"{giga(count)} G ({thousands(count)})"


def _environment(result: Result) -> Iterator[str]:
    environment = result.environment
    commit = {"commit": environment.commit + (", changed since" if environment.changed else "")}
    for title, facts in (
        ("Machine", environment.machine),
        ("Software", {**environment.software, **(commit if environment.commit else {})}),
        ("Settings", environment.settings),
    ):
        yield f"{title}: " + "; ".join(f"{name} {value}" for name, value in facts.items()) + "."
