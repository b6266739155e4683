"""`resbench flops`: the operations of one network, by every convention, and what a printed number of them means."""

import re
from typing import Annotated

import typer

from resbench.cli.output import Format
from resbench.errors import UsageError

EPILOG = """
Examples:

  resbench flops resnet50

  resbench flops resnet50 --explain 3.8G 4.1G 8.2G 4.13G

  resbench flops resnet50 --convention fvcore --input 3x288x288

  resbench flops resnext50_32x4d --per-layer --backward --format csv

  resbench flops torchvision:mobilenet_v3_small --reconcile

  resbench flops path/to/file.py:build --format json
"""

_SHOWN = 5
"""Candidates for a number, unless all are asked for."""


def flops(
    model: Annotated[
        str,
        typer.Argument(
            help="The network: a name of 'resbench list models', torchvision:NAME, timm:NAME, "
            "package.module:callable or path/to/file.py:callable."
        ),
    ],
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="[NUMBER]...", help="More numbers for --explain.")
    ] = None,
    input_size: Annotated[
        str, typer.Option("--input", help="Channels x height x width. [default: the network's own]")
    ] = "",
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Outputs of the head. [default: the network's own]")
    ] = None,
    convention: Annotated[
        str, typer.Option(help="One way of counting, with its sum term by term; or all.")
    ] = "all",
    per_layer: Annotated[bool, typer.Option("--per-layer", help="Every layer with its cost.")] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="The backward pass, too, where the convention has one.")
    ] = False,
    explain: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER...", help="Say which convention and variant yields 4.1G or 4089184256."),
    ] = None,
    all_candidates: Annotated[
        bool, typer.Option("--all-candidates", help=f"With --explain: all that agree, not {_SHOWN}.")
    ] = False,
    reconcile: Annotated[
        bool,
        typer.Option(
            "--reconcile", help="Run the tools that are installed, and account for each difference."
        ),
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="json and csv have whole numbers.")
    ] = Format.TABLE,
) -> None:
    """Count the operations of one network, by every convention.

    All counts are of one picture. A catalogued network is counted from its description, without torch; any other is
    run once on shapes alone. What can't be priced is named, and makes the count a lower bound.
    """
    views = {"--per-layer": per_layer, "--reconcile": reconcile, "--explain": bool(explain)}
    view = _one([name for name, wanted in views.items() if wanted])
    _check_explain(model, numbers, view, all_candidates=all_candidates)
    if view in ("--reconcile", "--explain"):
        for name, wanted in (("--convention", convention != "all"), ("--backward", backward)):
            if wanted:
                raise UsageError(f"{name} does not go with {view}, which looks at every convention")
    # Each view is imported when it is asked for: the answer takes about as long as the imports.
    if view == "--reconcile":
        from resbench.cli.reconcile_views import show_reconciliation

        show_reconciliation(model, input_size, num_classes, output)
    elif view == "--explain":
        from resbench.cli.flops_explain_views import show_explanations

        most = None if all_candidates or output in (Format.JSON, Format.CSV) else _SHOWN
        quoted = (*(explain or ()), *(numbers or ()))
        show_explanations(model, input_size, num_classes, quoted, output, most=most)
    elif view == "--per-layer":
        from resbench.cli.flops_layer_views import show_layers

        show_layers(model, input_size, num_classes, convention, output, backward=backward)
    else:
        from resbench.cli.flops_views import show_counts

        show_counts(model, input_size, num_classes, convention, output, backward=backward)


def _one(views: list[str]) -> str:
    if len(views) > 1:
        raise UsageError(f"{' and '.join(views)} do not go together: give one of them")
    return views[0] if views else ""


def _check_explain(model: str, numbers: list[str] | None, view: str, *, all_candidates: bool) -> None:
    if view != "--explain":
        if numbers:
            raise UsageError(f"'{numbers[0]}' is one argument too many: numbers to explain follow --explain")
        if all_candidates:
            raise UsageError("--all-candidates goes with --explain")
    elif re.match("[0-9]", model) and ":" not in model:
        raise UsageError(
            f"'{model}' stands where the network should: resbench flops MODEL --explain NUMBER..."
        )
