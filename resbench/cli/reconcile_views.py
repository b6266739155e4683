"""`resbench flops MODEL --reconcile`: each installed tool's number, and the sum that leads to it from ours."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resbench.cli.flops_subject import Subject, subject_of
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.status import status
from resbench.units import thousands

if TYPE_CHECKING:
    from resbench.metrics.flops.reconcile import Reconciliation

_LAYERS = 8
"""Layers of a residual that a person is shown."""


def show_reconciliation(model: str, input_size: str, num_classes: int | None, output: Format) -> None:
    """Run the tools that are installed on a network and print how their numbers follow from ours.

    Args:
        model: its name, as everywhere.
        input_size: as "3x224x224"; empty: the network's own.
        num_classes: outputs of the head; None: the network's own.
        output: a table or markdown for a person; csv and json for a program, in whole numbers.

    Raises:
        UsageError: there is no such network, or it can't take the input.
    """
    subject = subject_of(model, input_size, num_classes)
    found = _reconciled(subject, model)
    if output is Format.JSON:
        print_json([as_json(each, subject) for each in found])
    elif output is Format.CSV:
        print_records([_program(record) for each in found for record in _records(each)], output)
    else:
        _show(found, subject, output)


def as_json(found: "Reconciliation", subject: Subject) -> dict[str, object]:
    """Return one tool's account, under keys that stay."""
    return {
        "tool": found.tool,
        "package": found.package,
        "version": found.version,
        "model": subject.name,
        "input": "x".join(map(str, subject.input_CHW)),
        "metric": found.metric,
        "value": found.value,
        "ours": found.ours,
        "terms": [
            {
                "term": term.label,
                "factor": term.factor,
                "quantity": term.quantity,
                "operations": term.value,
            }
            for term in found.terms
        ],
        "by_rule": found.by_rule,
        "residual": found.residual,
        "residual_layers": [
            {
                "layer": layer.name,
                "module": layer.module,
                "value": layer.value,
                "by_rule": layer.by_rule,
                "difference": layer.difference,
            }
            for layer in found.residual_layers
        ],
        "counted_as_nothing": dict(found.unsupported),
        "reason": found.reason or None,
    }


def _reconciled(subject: Subject, model: str) -> "tuple[Reconciliation, ...]":
    with status() as say:
        say("loading torch")
        import torch

        from resbench.metrics.flops.reconcile import reconcile
        from resbench.models.outside import open_model

        with torch.device("meta"):
            opened = open_model(model, classes=subject.classes)
        return reconcile(opened.module, subject.input_CHW, subject.layers, say=say)


def _show(found: "Sequence[Reconciliation]", subject: Subject, output: Format) -> None:
    if output is Format.MARKDOWN:
        print_line(f"**{subject.title}**\n")
    records = [record for each in found for record in _records(each)]
    print_records(list(_once(records)), output, title=subject.title)
    bullet = "* " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{bullet}{line}" for line in _remarks(found, subject)))


def _records(found: "Reconciliation") -> Iterator[Record]:
    """Return a tool's sum, a line for each summand."""
    if found.value is None:
        yield _record(found, "reason", found.reason, None)
        return
    yield _record(found, "ours", "ours: core MACs", found.ours)
    for term in found.terms:
        times = "" if term.factor == 1 else f"{term.factor} x "
        yield _record(found, "term", f"{times}{thousands(term.quantity)} {term.label}", term.value)
    yield _record(found, "residual", _residual(found), found.residual)
    for layer in found.residual_layers:
        where = layer.name or "outside of its modules"
        yield _record(found, "residual layer", f"  at {where} ({layer.module})", layer.difference)
    yield _record(found, "value", f"= {found.tool}", found.value)


def _record(found: "Reconciliation", line: str, what: str, operations: int | None) -> Record:
    return {
        "tool": found.tool,
        "package": found.package,
        "version": found.version,
        "line": line,
        "operations": operations,
        "what": what,
    }


def _residual(found: "Reconciliation") -> str:
    return "residual" if found.residual else "residual: every operation is accounted for"


def _program(record: Record) -> Record:
    return {**record, "what": str(record["what"]).strip().removeprefix("at ").removeprefix("= ")}


def _once(records: Sequence[Record]) -> Iterator[Record]:
    """Return the records for a person: a tool's name once, and not more layers of a residual than can be read."""
    last, layers = "", 0
    for record in records:
        tool, is_layer = _tool(record), record["line"] == "residual layer"
        layers = layers + 1 if is_layer else 0
        if layers > _LAYERS:
            continue
        yield {
            "tool": "" if tool == last else tool,
            "operations": record["operations"],
            "what": record["what"],
        }
        last = tool


def _tool(record: Record) -> str:
    """Return what is at work: `thop 0.1.1`, `ptflops-aten (ptflops 0.7.5)`."""
    tool, package, version = (record[name] for name in ("tool", "package", "version"))
    if version is None:
        return str(tool)
    return f"{tool} {version}" if tool == package else f"{tool} ({package} {version})"


def _remarks(found: "Sequence[Reconciliation]", subject: Subject) -> Iterator[str]:
    explained = [each.tool for each in found if each.residual == 0]
    if explained:
        yield f"Residual zero: {', '.join(explained)}."
    for each in found:
        if each.residual:
            more = len(each.residual_layers) - _LAYERS
            rest = f" ({more} more layers with --format json)" if more > 0 else ""
            yield f"{each.tool}: {thousands(each.residual)} operations are not explained{rest}."
    missing = sorted({each.package for each in found if each.version is None})
    if missing:
        yield f"Not installed: pip install {' '.join(missing)}"
    for each in found:
        if each.version is not None and each.value is None:
            yield f"No number: {each.reason}."
    yield from (f"Note: {note}." for note in subject.notes)
