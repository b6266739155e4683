"""`resbench train`: one training run by a published recipe, or by one that differs from it in what is said."""

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.train_engine import (
    Allocator,
    Compiled,
    CudaGraph,
    FeedKind,
    Fused,
    MemoryFormat,
    Threads,
    Workers,
)
from resbench.errors import UsageError
from resbench.specs import Precision

EPILOG = """
Examples:

  resbench train cifar_resnet20 --recipe he2015_cifar --data .data

  resbench train resnet18 --recipe voc_zj2020 --scale smoke

  resbench train cifar_resnet20 --recipe he2015_cifar --data .data --set optimizer.lr=0.05 --set pictures.flip=false

  resbench train cifar_resnet20 --recipe he2015_cifar --data .data --iterations 2000

  resbench train cifar_resnet56 --recipe he2015_cifar --data .data --time-budget 30m --track tensorboard:runs

  resbench train cifar_resnet56 --recipe he2015_cifar --data .data --devices cuda:0,cuda:1

  resbench train resnet18 --recipe voc_zj2020 --data .data --overfit-one-batch
"""


def train(
    model: Annotated[str, typer.Argument(help="A network of 'resbench list models'.")],
    recipe: Annotated[str, typer.Option(help="How it is trained: voc_zj2020, he2015_cifar, ...")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the real pictures. Without it, smoke runs on drawn ones.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field of the recipe that is to be otherwise; may be given several times.",
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="How much of it: smoke, short, full, or a share such as 0.01.")
    ] = "full",
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Train for so many: warm-up and milestones shrink with the schedule, and the run is called a part.",
        ),
    ] = None,
    time_budget: Annotated[
        str,
        typer.Option(help="Train for as many iterations as fit, decided before the start: 90s, 30m, 1h30m."),
    ] = "",
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Decides initialisation, order and augmentation.")
    ] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    precision: Annotated[
        Precision, typer.Option(help="Of the forward pass; weights and their updates are float32 always.")
    ] = Precision.FP32,
    memory_format: MemoryFormat = "auto",
    compiled: Compiled = False,
    fused: Fused = True,
    cuda_graph: CudaGraph = False,
    feed: FeedKind = "auto",
    threads: Threads = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Split each batch over so many, each with its share of the cores. [default: 1]"
        ),
    ] = None,
    devices: Annotated[
        str, typer.Option(help="Split each batch over these GPUs, a process each: cuda:0,cuda:1.")
    ] = "",
    allocator: Allocator = "system",
    workers: Workers = 0,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for weights, result, curves and report. [default: trained/RUN]"),
    ] = None,
    store: Annotated[
        str, typer.Option(help="SQLite file of the results; a run that finished there is not repeated.")
    ] = "resbench.db",
    track: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:WHERE]",
            help="Tell another program, too: tensorboard:DIR, wandb:PROJECT, mlflow:EXPERIMENT; may be given several times.",
        ),
    ] = None,
    overfit_one_batch: Annotated[
        bool,
        typer.Option(
            "--overfit-one-batch",
            help="Only see whether the network can learn one batch by heart, in --iterations steps. [default: 200]",
        ),
    ] = False,
) -> None:
    """Train one network by a recipe, and keep its weights.

    Ctrl-C loses nothing that was finished: the same command goes on from the last checkpoint.
    """
    from resbench.cli.train_question import Asked, question_of, seconds_of

    asked = Asked(
        model=model,
        recipe=recipe,
        settings=tuple(settings or ()),
        data=data,
        scale=scale,
        seed=seed,
        device=device,
        precision=precision,
        iterations=None if overfit_one_batch else iterations,
        budget_s=seconds_of(time_budget) if time_budget else None,
    )
    if overfit_one_batch:
        from resbench.cli.train_overfit import STEPS, try_one_batch

        if track or output is not None:
            raise UsageError(
                "--overfit-one-batch trains nothing that is kept: leave out --track and --output"
            )
        try_one_batch(question_of(asked), steps=iterations or STEPS, budget_s=asked.budget_s)
        return
    from resbench.cli.train_engine import engine_of
    from resbench.cli.train_run import Ways, answer
    from resbench.cli.train_several import follow, one_of_several, over, start_others

    start_others(processes, devices)
    engine = engine_of(
        precision=precision,
        memory_format=memory_format,
        compile=compiled,
        fused=fused,
        cuda_graph=cuda_graph,
        feed=feed,
        workers=workers,
        threads=threads,
        allocator=allocator,
    )
    ways = Ways(store=store, output=output, engine=engine, track=tuple(track or ()))
    with one_of_several(asked, devices) as (asked, world):
        question = over(question_of(asked), world)
        if world.lead:
            answer(asked, question, ways, world)
        else:
            follow(question, store, engine, world)
