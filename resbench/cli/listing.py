"""`resbench list`: the models and suites that resbench knows, from their descriptions alone, without torch."""

from typing import Annotated

import typer

from resbench.architectures.description import Architecture
from resbench.catalog import gather
from resbench.cli.output import Format, Record, print_records
from resbench.errors import unknown

app = typer.Typer(help="List what resbench knows: models, suites.")

_FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def models(
    family: Annotated[str, typer.Option(help="Only this family, as the list names it.")] = "",
    output: _FormatOption = Format.TABLE,
) -> None:
    """List the networks with their costs.

    Costs are those of the default network for one picture of the input shown: trainable parameters, and core MACs
    (multiply-accumulates of convolutions and linear layers, no bias).

    \b
    Examples:
      resbench list models
      resbench list models --family cifar --format markdown
    """  # noqa: D301 - typer reads the \b
    architectures = gather("architectures", "ARCHITECTURES").values()
    families = {architecture.family for architecture in architectures}
    if family and family not in families:
        raise unknown("family", family, families)
    chosen = [architecture for architecture in architectures if family in ("", architecture.family)]
    print_records([_record(architecture, output) for architecture in chosen], output)


def _record(architecture: Architecture, output: Format) -> Record:
    record = {
        "name": architecture.name,
        "family": architecture.family,
        "parameters": architecture.costs.parameters,
        "core_macs": architecture.costs.core_macs,
        "input": "x".join(map(str, architecture.input_CHW)),
        "source": architecture.source.title.partition(":")[0],
    }
    # An address is too wide for a terminal; a program has room for it.
    return record | {"url": architecture.source.url} if output in (Format.JSON, Format.CSV) else record


@app.command()
def suites(output: _FormatOption = Format.TABLE) -> None:
    """List the suites with the models each one compares.

    \b
    Examples:
      resbench list suites
      resbench list suites --format json
    """  # noqa: D301 - typer reads the \b
    records = [
        {"name": suite.name, "title": suite.title, "models": " ".join(arm.model for arm in suite.arms)}
        for suite in gather("suites", "SUITE").values()
    ]
    print_records(records, output)
