"""`resbench evaluate`: how right a network's weights are on labelled pictures."""

import contextlib
import sys
from typing import Annotated

import typer

from resbench.cli.output import Format
from resbench.cli.status import status
from resbench.specs import Precision
from resbench.training.protocols import Average, Views

EPILOG = """
Examples:

  resbench evaluate cifar_resnet20 --weights resnet20.safetensors --data cifar10:.data

  resbench evaluate cifar_resnet20 --weights trained/run --no-ema --data cifar10:.data

  resbench evaluate resnet18_biased --weights resnet18.pth --data voc:.data --confusion confusion.csv

  resbench evaluate resnet50 --weights IMAGENET1K_V1 --data imagefolder:imagenet/val --views ten_crop

  resbench evaluate resnet50 --weights IMAGENET1K_V2 --data imagenet/val --resize 320 --crop 320

  resbench evaluate resnet50 --weights IMAGENET1K_V1 --data imagenet --views multi_scale --limit 500

  resbench evaluate torchvision:mobilenet_v2 --weights IMAGENET1K_V1 --data imagenet/val --device cuda --precision fp16

  resbench evaluate "net.py:Net(width=32)" --weights net.pth --data pictures --format json
"""


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A network of 'resbench list models', or torchvision:NAME, timm:NAME, package.module:callable, "
            "path/to/file.py:callable.",
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="imagefolder:PATH, voc:PATH, cifar10:PATH, cifar100:PATH, a folder that says which it is, or sample (drawn pictures)."
        ),
    ],
    weights: Annotated[
        str,
        typer.Option(
            help="A name of torchvision's, a .safetensors or a .pth file, or the folder of a run of 'resbench train' or of "
            "its checkpoints; only own code may do without."
        ),
    ] = "",
    ema: Annotated[
        bool | None,
        typer.Option(
            "--ema/--no-ema",
            help="Of a folder: the moving average of the weights, or not. [default: what the recipe tests]",
        ),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="Test as this recipe does. [default: the weights' or the data's usual test]")
    ] = "",
    views: Annotated[Views | None, typer.Option(help="What the network sees of each picture.")] = None,
    resize: Annotated[
        int | None, typer.Option(min=0, help="The shorter side, in pixels; 0: as it is.")
    ] = None,
    crop: Annotated[int | None, typer.Option(min=1, help="Side of the square that is cut out.")] = None,
    scales: Annotated[
        str, typer.Option(help="Of multi_scale: shorter sides. [default: 224,256,384,480,640]")
    ] = "",
    mirrored: Annotated[
        bool | None,
        typer.Option("--mirrored/--not-mirrored", help="Mirror images, too. [default: multi_scale: yes]"),
    ] = None,
    average: Annotated[Average | None, typer.Option(help="Over the views. [default: logits]")] = None,
    interpolation: Annotated[str, typer.Option(help="bilinear, bicubic or nearest.")] = "",
    antialias: Annotated[
        bool | None, typer.Option("--antialias/--no-antialias", help="When pictures are made smaller.")
    ] = None,
    normalise: Annotated[
        str,
        typer.Option(help="imagenet, half, none, pixel_mean (of the training pictures), or MEAN/STD."),
    ] = "",
    precise_bn: Annotated[
        int, typer.Option(min=0, help="Batch norms' statistics from so many batches of training pictures.")
    ] = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many samples, spread evenly: a reduced run.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures in one call, with all their views.")] = 32,
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Outputs of the head. [default: the data's classes]")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    precision: Annotated[Precision, typer.Option(help="fp32, tf32, bf16 or fp16.")] = Precision.FP32,
    whole_model: Annotated[
        bool, typer.Option("--whole-model", help="bf16 and fp16: all tensors of the model, not autocast.")
    ] = False,
    memory_format: Annotated[str, typer.Option(help="contiguous or channels_last.")] = "contiguous",
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare pictures.")] = 0,
    confusion: Annotated[
        str, typer.Option(help="Write the confusion matrix: FILE.csv, and FILE.svg beside it.")
    ] = "",
    per_class: Annotated[bool, typer.Option("--per-class", help="Show each class, too.")] = False,
    output: Annotated[
        Format, typer.Option("--format", help="csv has base units, json has all.")
    ] = Format.TABLE,
) -> None:
    """Test a network's weights on labelled pictures.

    Top-1, top-5, the mean of the classes' accuracies and the loss, each with n and a 95 % interval; where several samples
    were cut from one picture, as in VOC, they count as one draw. How pictures become views is said under the figures.
    """
    with status() as say:
        say("loading torch")
        from resbench.cli.evaluate_protocol import Changes
        from resbench.cli.evaluating_run import Request, run

    changes = Changes(
        views=views,
        resize=resize,
        crop=crop,
        scales=scales,
        interpolation=interpolation,
        antialias=antialias,
        normalise=normalise,
        mirrored=mirrored,
        average=average,
    )
    request = Request(
        model=model,
        weights=weights,
        data=data,
        recipe=recipe,
        changes=changes,
        ema=ema,
        num_classes=num_classes,
        device=device,
        precision=precision,
        whole_model=whole_model,
        memory_format=memory_format,
        batch_size=batch_size,
        limit=limit,
        precise_bn=precise_bn,
        workers=workers,
        confusion=confusion,
    )
    with contextlib.redirect_stdout(sys.stderr):  # what a user's network prints is no part of the figures
        found = run(request)
    from resbench.cli.evaluate_views import show

    show(found, output, per_class=per_class)
