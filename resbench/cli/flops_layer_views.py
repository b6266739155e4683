"""How the layers of one network are shown with their costs."""

from collections.abc import Sequence

from resbench.architectures.layers import Layer
from resbench.cli.flops_subject import Subject, subject_of
from resbench.cli.flops_views import conventions_of, counted_by, heading, print_lines, print_remarks
from resbench.cli.output import Format, print_json, print_line, print_records
from resbench.metrics.flops.backward import backward_count, weight_gradient_macs
from resbench.metrics.flops.conventions import Convention, count
from resbench.metrics.flops.ledger import Row, rows_of
from resbench.units import thousands


def show_layers(
    model: str, input_size: str, num_classes: int | None, convention: str, output: Format, *, backward: bool
) -> None:
    """Print every layer; with all conventions a table has the core alone, csv and json have each.

    Raises:
        UsageError: there is no such network or convention, or it is not defined for this network.
    """
    conventions: Sequence[Convention] = conventions_of(convention)
    counted = subject_of(model, input_size, num_classes)
    if len(conventions) == 1:
        counted = counted_by(counted, conventions[0])
    elif output in (Format.TABLE, Format.MARKDOWN):
        conventions = ()
    # A convention that counts another form of the network has other layers.
    conventions = [one for one in conventions if counted.as_counted_by(one) is counted]
    rows = list(zip(counted.layers, rows_of(counted.layers), strict=True))
    if output is Format.JSON:
        layers = [_as_json(layer, row, conventions, backward=backward) for layer, row in rows]
        print_json({**heading(counted), "layers": layers})
        return
    if output is Format.MARKDOWN:
        print_line(f"**{counted.title}**\n")
    records = [_record(layer, row, conventions, backward=backward) for layer, row in rows]
    print_records(records, output, title=counted.title)
    if output is not Format.CSV:
        print_lines([_total(counted)], output)
        print_remarks(counted, output)


def _as_json(
    layer: Layer, row: Row, conventions: Sequence[Convention], *, backward: bool
) -> dict[str, object]:
    found = {**_facts(layer), "counts": _counts(row, conventions)}
    return (
        {**found, **_gradients(row), "backward_counts": _backward_counts(row, conventions)}
        if backward
        else found
    )


def _record(
    layer: Layer, row: Row, conventions: Sequence[Convention], *, backward: bool
) -> dict[str, object]:
    """Return a layer as a line, where the core has its column already."""
    found = {**_facts(layer), **_counts(row, [one for one in conventions if one.name != "core-macs"])}
    if backward:
        found |= _gradients(row)
        found |= {f"{name}_backward": count for name, count in _backward_counts(row, conventions).items()}
    return found


def _facts(layer: Layer) -> dict[str, object]:
    return {
        "name": layer.name,
        "kind": str(layer.kind),
        "module": layer.module,
        "operator": layer.operator,
        "output": "x".join(map(str, layer.output_CHW)),
        "parameters": layer.parameters,
        "macs": layer.macs,
    }


def _counts(row: Row, conventions: Sequence[Convention]) -> dict[str, int]:
    return {convention.name: count(convention, (row,)) for convention in conventions}


def _gradients(row: Row) -> dict[str, int]:
    return {
        "weight_gradient_macs": weight_gradient_macs(row),
        "input_gradient_macs": row.input_gradient_macs,
        "gradient_elements": row.gradient_elements,
    }


def _backward_counts(row: Row, conventions: Sequence[Convention]) -> dict[str, int]:
    counts = {convention.name: backward_count(convention, (row,)) for convention in conventions}
    return {name: value for name, value in counts.items() if value is not None}


def _total(subject: Subject) -> str:
    macs = sum(row.macs for row in subject.ledger)
    return f"{len(subject.layers)} layers, {thousands(subject.parameters)} parameters, {thousands(macs)} MACs (core)."
