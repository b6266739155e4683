"""`resbench profile`: what one network costs, and how long it takes here."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from resbench import catalog
from resbench.cli.output import Format
from resbench.cli.status import status
from resbench.errors import UsageError
from resbench.specs import Experiment, Precision, Profiling, Scale

if TYPE_CHECKING:
    from resbench.architectures.description import Architecture

EPILOG = """
Examples:

  resbench profile resnet50

  resbench profile resnet50 --format json

  resbench profile resnet18 --batch-size 32 --input 3x160x160 --num-classes 20

  resbench profile resnet152 --device cuda:1 --precision bf16
"""


def profile(
    model: Annotated[str, typer.Argument(help="The network; 'resbench list models' shows them.")],
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    batch_size: Annotated[int, typer.Option(min=1, help="Images in one call.")] = 1,
    input_size: Annotated[
        str, typer.Option("--input", help="Channels x height x width. [default: the network's own]")
    ] = "",
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Outputs of the head. [default: the network's own]")
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="float32, or autocast with float32 weights.")
    ] = Precision.FP32,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the weights and the input.")] = 0,
    output: Annotated[
        Format, typer.Option("--format", help="csv has base units, json has all.")
    ] = Format.TABLE,
    quick: Annotated[bool, typer.Option("--quick", help="Measure for less time: wider intervals.")] = False,
) -> None:
    """Measure what one network costs.

    Parameters, size and operations follow in closed form and are cross-checked by fvcore and ptflops; peak memory,
    latency (median of synchronised calls after a warm-up) and throughput are measured here.
    """
    architecture = catalog.find("model", "architectures", "ARCHITECTURES", model)
    profiling = _profiling(architecture, batch_size, input_size, num_classes)
    with status() as say:
        say("loading torch")
        from resbench.cli.profile_views import show
        from resbench.environment import capture
        from resbench.models.devices import resolve_device
        from resbench.models.precision import check_precision
        from resbench.trial.profiling import profile as measure

        resolved = resolve_device(device)
        check_precision(precision, resolved)
        experiment = Experiment(
            model=model,
            device=str(resolved),
            precision=precision,
            seed=seed,
            scale=Scale.SHORT if quick else Scale.FULL,
            profiling=profiling,
            machine=capture(str(resolved)).machine_id,
        )
        result = measure(experiment, say)
    show(result, profiling, output)


def parse_input(text: str) -> tuple[int, int, int]:
    """Return channels, height and width from `3x224x224`.

    Raises:
        UsageError: that is not what the text is.
    """
    matched = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})x([0-9]{1,9})", text.strip().lower())
    if matched is None:
        raise UsageError(
            f"--input '{text}' is not channels x height x width: give three numbers, as in 3x224x224"
        )
    return int(matched[1]), int(matched[2]), int(matched[3])


def _profiling(
    architecture: "Architecture", batch_size: int, input_size: str, num_classes: int | None
) -> Profiling:
    from resbench.architectures.layers import check_input

    return Profiling(
        batch_size=batch_size,
        num_classes=architecture.classes if num_classes is None else num_classes,
        input_CHW=check_input(parse_input(input_size)) if input_size else architecture.input_CHW,
    )
