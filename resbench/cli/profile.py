"""`resbench profile`: what networks cost, and how fast they are here, in one way or in several."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.asked_cases import Asked, cases_of
from resbench.cli.output import Format
from resbench.cli.profile_options import Effort, Extras
from resbench.cli.quiet_status import quiet_status
from resbench.trial.case import ALLOCATORS, MEMORY_FORMATS, MODES

EPILOG = """
Examples:

  resbench profile resnet50

  resbench profile resnet50 --format json

  resbench profile resnet18 resnet50 --backend eager,openvino

  resbench profile resnet18 --batch-size 1,8,32 --input 3x160x160 --num-classes 20

  resbench profile resnet50 --compile --precision fp32,bf16 --memory-format channels_last

  resbench profile resnet18 --mode training --batch-size auto

  resbench profile resnet50 --roofline --layers --plot roof.svg --trace trace.json.gz

  resbench profile resnet50 --fits 11GiB

  resbench profile resnet50 --batch-size 32 --allocator system,keep

  resbench profile resnet50 --against earlier.json

  resbench profile cifar_resnet20 --mode training --batch-size 128 --data cifar10:data

  resbench profile resnet152 --device cuda:1 --precision bf16

  resbench profile torchvision:mobilenet_v2

  resbench profile "net.py:Net(width=32)" --input 1x28x28

  resbench profile resnet50 --weights IMAGENET1K_V1
"""


def profile(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Networks of 'resbench list models', or torchvision:NAME, timm:NAME, package.module:callable, "
            "path/to/file.py:callable.",
        ),
    ],
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    batch_size: Annotated[
        str, typer.Option(help="Images in one call: 1,8,32 for several; auto for the largest that fits.")
    ] = "1",
    input_size: Annotated[
        str,
        typer.Option("--input", help="Channels x height x width, or several. [default: the network's own]"),
    ] = "",
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Outputs of the head. [default: the network's own]")
    ] = None,
    precision: Annotated[str, typer.Option(help="fp32, tf32, bf16, fp16, or several.")] = "fp32",
    whole_model: Annotated[
        bool, typer.Option("--whole-model", help="bf16 and fp16: all tensors of the model, not autocast.")
    ] = False,
    memory_format: Annotated[str, typer.Option(help=" or ".join(MEMORY_FORMATS) + ".")] = MEMORY_FORMATS[0],
    backend: Annotated[
        str, typer.Option(help="eager, compile, onnxruntime, openvino, or several. [default: eager]")
    ] = "",
    compiled: Annotated[bool, typer.Option("--compile", help="Short for --backend compile.")] = False,
    mode: Annotated[str, typer.Option(help=" or ".join(MODES) + " (one whole step).")] = MODES[0],
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of each measuring process. [default: PyTorch's own number]")
    ] = None,
    allocator: Annotated[
        str,
        typer.Option(
            help="What freed memory of the CPU does: system (goes back) or keep (stays with the process); both: system,keep."
        ),
    ] = ALLOCATORS[0],
    weights: Annotated[
        str,
        typer.Option(help="A name of torchvision's, a .safetensors or a .pth file. [default: random ones]"),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the weights and the input.")] = 0,
    precision_target: Annotated[
        float | None, typer.Option(min=0.0001, max=1.0, help="Of the median, as a share. [default: 0.01]")
    ] = None,
    time_budget: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds of sampling of each case at most. [default: 20]")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Fresh processes of each case. [default: 5]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Three processes and 3 s of each case, to 2 %: wider intervals.")
    ] = False,
    roofline: Annotated[
        bool, typer.Option("--roofline", help="Measure this machine's roof, and what it says.")
    ] = False,
    layers: Annotated[bool, typer.Option("--layers", help="Show what each layer takes.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the layers under the roof: a .svg or .png file.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Write a trace for Perfetto: a .json or .json.gz file.")
    ] = None,
    energy: Annotated[
        bool, typer.Option("--energy", help="Joules an image, where a counter of them can be believed.")
    ] = False,
    fits: Annotated[str, typer.Option(help="Only say which batch fits into so much memory, as 11GiB.")] = "",
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with an earlier profile: what '--format json' printed of it."),
    ] = None,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="With --against: also with that of another machine.")
    ] = False,
    data: Annotated[
        str,
        typer.Option(
            help="With --mode training: also the rate of its input, of voc:FOLDER or cifar10:FOLDER; without a folder, of the "
            "built-in sample."
        ),
    ] = "",
    output: Annotated[
        Format, typer.Option("--format", help="csv has base units, json has all.")
    ] = Format.TABLE,
) -> None:
    """Measure what networks cost, and how fast they are here.

    Of one network: parameters, size and operations in closed form, cross-checked by fvcore and ptflops, peak memory, and
    three clocks: latency (a synchronised call), device time and throughput. Of several, or of several batches, inputs,
    precisions or backends: one table with ratios. Each case runs in several fresh processes, warmed up until it is steady,
    rounds interleaved in random order, until the median is known to the target or the time is over.
    """
    with quiet_status() as say:
        say("loading torch")
        import torch

        from resbench.cli.profiling_run import run
        from resbench.models.devices import resolve_device

        asked = Asked(
            models=tuple(dict.fromkeys(models)),
            device=str(resolve_device(device)),
            batch_sizes=batch_size,
            inputs=input_size,
            num_classes=num_classes,
            precisions=precision,
            whole_model=whole_model,
            memory_format=memory_format,
            backends=",".join(filter(None, (backend, "compile" * compiled))) or "eager",
            mode=mode,
            threads=torch.get_num_threads() if threads is None else threads,
            weights=weights,
            seed=seed,
            allocators=allocator,
        )
        effort = Effort(quick=quick, precision=precision_target, budget_s=time_budget, processes=processes)
        extras = Extras(
            roofline=roofline,
            layers=layers,
            trace=trace,
            energy=energy,
            fits=fits,
            against=against,
            across_machines=across_machines,
            data=data,
            plot=plot,
        )
        with contextlib.redirect_stdout(sys.stderr):  # what a user's network prints is no part of the profile
            show = run(cases_of(asked), effort, extras, say)
    show(output)
