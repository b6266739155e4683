"""`resbench show`: a network as a tree of its parts, with shapes, costs and receptive fields; or a suite."""

import contextlib
from typing import Annotated

import typer

from resbench.architectures.naming import parse_model
from resbench.cli.asked_cases import parse_input
from resbench.cli.output import Format
from resbench.errors import UsageError

EPILOG = """
Examples:

  resbench show resnet50

  resbench show resnet50 --depth 2 --input 3x288x288

  resbench show "cifar_resnet20(depth=14)" --depth 3

  resbench show torchvision:mobilenet_v2 --format json

  resbench show net.py:Net --input 1x28x28

  resbench show resnet50 --weights IMAGENET1K_V1

  resbench show suite cifar_depth

  resbench show suite --schema
"""


def show(
    model: Annotated[
        str,
        typer.Argument(
            help="A network of 'resbench list models', or torchvision:NAME, timm:NAME, package.module:callable, "
            "path/to/file.py:callable; or the word suite."
        ),
    ],
    suite: Annotated[
        str, typer.Argument(help="After the word suite: one of 'resbench list suites', or ./mine.toml.")
    ] = "",
    input_size: Annotated[
        str, typer.Option("--input", help="Channels x height x width. [default: the network's own]")
    ] = "",
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Outputs of the head. [default: the network's own]")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            min=1, help="1: stem, stages, head; 2: units; 3: layers. [default: 1; of others', as needed]"
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(help="Check that these fit: a name of torchvision's, a .safetensors or a .pth file."),
    ] = "",
    output: Annotated[
        Format, typer.Option("--format", help="json has a tree, csv and markdown a line for each part.")
    ] = Format.TABLE,
    schema: Annotated[
        bool, typer.Option("--schema", help="Of a suite: the JSON Schema of a file of your own.")
    ] = False,
) -> None:
    """Show a network as a tree of its parts, or a suite with its question, arms, recipe and published figures.

    Each part has the shape of its output, trainable parameters, core MACs (multiply-accumulates of convolutions, linear
    layers and matrix products, no bias) with their share, and the receptive field: the side, in pixels, of what one
    place of its output can see, and the stride, the pixels between two neighbouring places.
    """
    if model == "suite":
        _show_suite(suite, output, schema=schema)
        return
    if suite or schema:
        raise UsageError(f"'{suite or '--schema'}' goes with a suite: 'resbench show suite NAME'")
    from resbench.cli.show_views import print_shown
    from resbench.models.layering import layered

    input_CHW = parse_input(input_size) if input_size else None
    with _loading_torch(model, weights):
        shown = layered(model, input_CHW, num_classes)
        remarks = _fitting(model, num_classes, weights)
    print_shown(shown, depth, remarks, output)


def _show_suite(name: str, output: Format, *, schema: bool) -> None:
    if schema:
        from resbench.cli.output import print_json
        from resbench.execution.suite_form import SuiteForm

        print_json(SuiteForm.model_json_schema())
        return
    from resbench.cli.suite_views import print_suite
    from resbench.execution.finding import find_suite

    if not name:
        raise UsageError("which suite? 'resbench list suites' shows them")
    print_suite(find_suite(name), output)


def _loading_torch(model: str, weights: str) -> contextlib.AbstractContextManager[object]:
    """Show that torch is loaded, where it is: even the display of that takes longer than one of our networks."""
    if not (weights or parse_model(model).is_outside):
        return contextlib.nullcontext()
    from resbench.cli.status import status

    stack = contextlib.ExitStack()
    stack.enter_context(status())("loading torch")
    return stack


def _fitting(model: str, num_classes: int | None, weights: str) -> tuple[str, ...]:
    """Return what there is to say of the weights, after loading them into the network without its own."""
    if not weights:
        return ()
    import torch

    from resbench.models.outside import open_model
    from resbench.models.weights import load_weights

    with torch.device("meta"):
        opened = open_model(model, classes=num_classes)
    loaded = load_weights(opened.module, weights, name=opened.name)
    return (f"Weights {loaded.source} fit: {loaded.tensors} tensors.", *loaded.notes)
