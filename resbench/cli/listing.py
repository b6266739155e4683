"""`resbench list`: the models and suites that resbench knows, from their descriptions alone, without torch."""

import re
from enum import StrEnum
from typing import Annotated

import typer

from resbench.architectures.choosing import choices_of
from resbench.architectures.description import Architecture
from resbench.catalog import gather
from resbench.cli.output import Format, Record, print_records
from resbench.errors import unknown
from resbench.specs import Source, Suite

app = typer.Typer(help="List what resbench knows: models, suites.")

_FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def models(
    family: Annotated[str, typer.Option(help="Only this family, as the list names it.")] = "",
    output: _FormatOption = Format.TABLE,
) -> None:
    """List the networks with their costs.

    Costs are those of the default network for one picture of the input shown: trainable parameters, and core MACs
    (multiply-accumulates of convolutions and linear layers, no bias). What the form says can be chosen differently
    wherever a model is asked for, as in resnet34(shortcut=A); json has the sources and all else that is known.

    \b
    Examples:
      resbench list models
      resbench list models --family cifar --format markdown
      resbench list models --format json
    """  # noqa: D301 - typer reads the \b
    architectures = gather("architectures", "ARCHITECTURES").values()
    families = {architecture.family for architecture in architectures}
    if family and family not in families:
        raise unknown("family", family, families)
    chosen = [architecture for architecture in architectures if family in ("", architecture.family)]
    print_records([_record(architecture, output) for architecture in chosen], output)


def _record(architecture: Architecture, output: Format) -> Record:
    costs = architecture.costs
    record: dict[str, object] = {
        "name": architecture.name,
        "family": architecture.family,
        "parameters": costs.parameters if costs else None,
        "core_macs": costs.core_macs if costs else None,
        "input": "x".join(map(str, architecture.input_CHW)),
    }
    if output is Format.JSON:
        return {**record, **_all(architecture)}
    if output is Format.CSV:  # an address is too wide for a terminal; a program has room for it
        aliases = " ".join(architecture.aliases)
        return {**record, "form": _form(architecture), "aliases": aliases, **_source(architecture.source)}
    also = f"; also {', '.join(architecture.aliases)}" if architecture.aliases else ""
    return {**record, "source": _short(architecture.source.title), "form": _form(architecture) + also}


def _all(architecture: Architecture) -> Record:
    choices = choices_of(architecture)
    return {
        "classes": architecture.classes,
        "choices": {
            name: str(value) if isinstance(value, StrEnum) else value for name, value in choices.items()
        },
        "aliases": list(architecture.aliases),
        **_source(architecture.source),
        "costs_source": _source(architecture.costs.source) if architecture.costs else None,
    }


def _source(source: Source) -> Record:
    return {"source": source.title, "where": source.where, "url": source.url}


def _short(title: str) -> str:
    """Return the authors, and where and when they published: "He, Zhang, Ren, Sun (CVPR 2016)"."""
    authors, _, rest = title.partition(":")
    published = re.search(r"\([^()]*\d{4}\)$", rest)
    return f"{authors} {published[0]}" if published else authors


def _form(architecture: Architecture) -> str:
    """Return the choices as they are written behind a name."""
    told = {True: "yes", False: "no"}
    return " ".join(
        f"{name}={told.get(value, value) if isinstance(value, bool) else value}"
        for name, value in choices_of(architecture).items()
    )


@app.command()
def suites(output: _FormatOption = Format.TABLE) -> None:
    """List the suites with the models each one compares.

    \b
    Examples:
      resbench list suites
      resbench list suites --format json
    """  # noqa: D301 - typer reads the \b
    records = [_suite_record(suite, output) for suite in gather("suites", "SUITE").values()]
    print_records(records, output)


def _suite_record(suite: Suite, output: Format) -> Record:
    models = dict.fromkeys(arm.model for arm in suite.arms)
    record: dict[str, object] = {"name": suite.name, "title": suite.title}
    if output in (Format.JSON, Format.CSV):
        extra = " ".join(arm.id for arm in suite.extra)
        record |= {"kind": str(suite.kind), "data": suite.data, "arms": len(suite.arms), "extra": extra}
    return {**record, "models": " ".join(models)}
