"""`resbench audit`: which catalogued network a model or a checkpoint is, and where it differs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench import catalog
from resbench.architectures.layers import Layer, check_input, layers_of
from resbench.architectures.naming import find_architecture, parse_model
from resbench.cli.asked_cases import parse_input
from resbench.cli.audit_views import Audited, show
from resbench.cli.output import Format
from resbench.cli.status import status
from resbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resbench.architectures.auditing.auditing import Candidate, Finding
    from resbench.architectures.description import Architecture

EPILOG = """
Examples:

  resbench audit resnet110.pth

  resbench audit torchvision:resnet50

  resbench audit net.py:build --input 3x32x32

  resbench audit "resnet34(shortcut=A)" --format json
"""

_CHECKPOINTS = (".pth", ".pt", ".safetensors", ".ckpt", ".bin", ".tar", ".th")


def audit(
    model: Annotated[
        str,
        typer.Argument(
            help="A checkpoint (.pth, .safetensors), or a network: a name of 'resbench list models', "
            "torchvision:NAME, timm:NAME, package.module:callable, path/to/file.py:callable."
        ),
    ],
    input_size: Annotated[
        str, typer.Option("--input", help="Channels x height x width. [default: the network's own]")
    ] = "",
    output: Annotated[
        Format, typer.Option("--format", help="csv has a line for each difference, json has all.")
    ] = Format.TABLE,
) -> None:
    """Tell which catalogued network a model or a checkpoint is.

    A model is compared layer by layer, along the flow of its data: names and the way it is coded don't matter, and no
    weights are allocated. A checkpoint tells of names and shapes alone; all networks that have these are named. Where none
    is the same, the nearest is shown with each difference. The number of classes is no difference.
    """
    architectures: Mapping[str, Architecture] = catalog.gather("architectures", "ARCHITECTURES")
    if _is_checkpoint(model):
        if input_size:
            raise UsageError(f"'{model}' is a checkpoint, which has no input: leave out --input")
        audited = _checkpoint(model, architectures)
    else:
        audited = _network(model, parse_input(input_size) if input_size else None, architectures)
    show(audited, output)


def _is_checkpoint(model: str) -> bool:
    path = Path(model)
    if path.suffix == ".py" and path.is_file():
        raise UsageError(f"'{model}' is a Python file: name the callable in it, as in {model}:build")
    return path.suffix.lower() in _CHECKPOINTS or path.is_file()


def _checkpoint(model: str, architectures: "Mapping[str, Architecture]") -> Audited:
    from resbench.architectures.auditing.checkpoints import audit_tensors, tensors_against

    with status() as say:
        say("loading torch")
        from resbench.models.checkpoints import read_checkpoint

        say(f"reading {model}")
        found = read_checkpoint(Path(model))
    finding = audit_tensors(found.tensors, architectures)
    around = f", inside {', '.join(found.unwrapped)}" if found.unwrapped else ""
    return Audited(
        name=model,
        seen=f"names and shapes of {len(found.tensors)} tensors{around}",
        finding=finding,
        claim=_claim(model, finding, architectures, lambda claim: tensors_against(found.tensors, claim)),
    )


def _network(
    model: str, input_CHW: tuple[int, int, int] | None, architectures: "Mapping[str, Architecture]"
) -> Audited:
    from resbench.architectures.auditing.auditing import against, audit_layers

    notes: tuple[str, ...] = ()
    parameters = None
    if parse_model(model).is_outside:
        layers, parameters, input_CHW, notes = _observed(model, input_CHW)
        seen = f"{len(layers)} layers that ran"
    else:
        layers = _described(model, input_CHW)
        seen = f"{len(layers)} layers of its description"
    finding = audit_layers(layers, architectures, parameters=parameters, input_CHW=input_CHW)
    return Audited(
        name=model,
        seen=seen,
        finding=finding,
        claim=_claim(model, finding, architectures, lambda claim: against(layers, claim)),
        notes=notes,
    )


def _described(model: str, input_CHW: tuple[int, int, int] | None) -> tuple[Layer, ...]:
    architecture = find_architecture(model)
    return layers_of(architecture, check_input(input_CHW) if input_CHW else None)


def _observed(
    model: str, input_CHW: tuple[int, int, int] | None
) -> tuple[tuple[Layer, ...], int, tuple[int, int, int], tuple[str, ...]]:
    """Return the layers, the parameters of the module, its input, and what a reader must know."""
    with status() as say:
        say("loading torch")
        import torch

        from resbench.models.dropouts import ActiveDropouts
        from resbench.models.observing import observe
        from resbench.models.outside import open_model, other_peoples_code

        say(f"opening {model}")
        with torch.device("meta"):
            opened = open_model(model)
        say(f"running {opened.name} on shapes")
        size = input_CHW or opened.input_CHW
        with ActiveDropouts(), other_peoples_code():
            seen = observe(opened.module, size, fall_back=True)
    return seen.layers, seen.parameters, size, seen.notes


def _claim(
    model: str,
    finding: "Finding",
    architectures: "Mapping[str, Architecture]",
    compared: "Callable[[Architecture], Candidate]",
) -> str:
    """Return a sentence where the name says something else than was found; else nothing."""
    from resbench.architectures.auditing.claims import claimed, contradiction

    claim = claimed(model, architectures)
    if claim is None or claim in {match.name for match in finding.matches}:
        return ""
    return contradiction(claim, compared(architectures[claim]), finding)
