"""`resbench run`: train, measure, and write a suite's report."""

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.suite_options import DeviceName, Models, Pictures, SuiteName
from resbench.cli.train_engine import (
    Allocator,
    Compiled,
    CudaGraph,
    FeedKind,
    Fused,
    MemoryFormat,
    Threads,
    Workers,
    engine_of,
)
from resbench.specs import Precision

EPILOG = """
Examples:

  resbench run --suite voc_compare --scale smoke

  resbench run --suite voc_compare --scale short --data .data

  resbench run --suite voc_compare --data .data --device cuda --models resnet50

  resbench run --suite cifar_depth --seeds 5 --data .data --device cuda

  resbench run --suite ./mine.toml --scale 0.01 --data .data

  resbench run --suite cifar_inputs --data .data --set optimizer.lr=0.05
"""


def run(
    suite: SuiteName,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field of every arm's recipe that is to be otherwise, after the scale; may be given several times. Such "
            "a run is not compared with the papers.",
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="How much of it: full; short (30 % of the schedule, at most 400 iterations, the whole test set); smoke (a few "
            "steps on a few pictures); or a share of its iterations and pictures such as 0.01. Only full is compared with the "
            "papers."
        ),
    ] = "full",
    data: Pictures = None,
    device: DeviceName = "cpu",
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Decides initialisation, order and augmentation.")
    ] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds, from --seed on; every arm has the same ones.")
    ] = 1,
    models: Models = "",
    store: Annotated[
        str, typer.Option(help="SQLite file of the results; finished work there is not repeated.")
    ] = ("resbench.db"),
    output: Annotated[Path | None, typer.Option(help="The report. [default: reports/SUITE.md]")] = None,
    precision: Annotated[
        Precision | None,
        typer.Option(
            help="Of the forward pass of every arm, as part of what is asked; weights and their updates are float32 always. "
            "[default: each arm's own]"
        ),
    ] = None,
    memory_format: MemoryFormat = "auto",
    compiled: Compiled = False,
    fused: Fused = True,
    cuda_graph: CudaGraph = False,
    feed: FeedKind = "auto",
    threads: Threads = None,
    allocator: Allocator = "system",
    workers: Workers = 0,
    together: Annotated[
        int,
        typer.Option(
            min=1,
            help="Train so many at once on the device, each in a process with its share of the cores. Each result is that of "
            "the run alone with as many --threads.",
        ),
    ] = 1,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Split each batch of every arm over so many, each with its share of the cores, or a GPU of its own; batch "
            "norm then sees a share. [default: each arm's own number]",
        ),
    ] = None,
    note: Annotated[
        str, typer.Option(help="A sentence on the data that every report of these results shows at its head.")
    ] = "",
) -> None:
    """Train, test and profile the models of a suite, and write its report.

    Ctrl-C loses nothing that was finished: the same command goes on from the last checkpoint.
    """
    from resbench.cli.run_request import Request
    from resbench.cli.run_suite import answer

    engine = engine_of(
        memory_format=memory_format,
        compile=compiled,
        fused=fused,
        cuda_graph=cuda_graph,
        feed=feed,
        workers=workers,
        threads=threads,
        allocator=allocator,
    )
    request = Request(
        suite=suite,
        scale=scale,
        data=data,
        device=device,
        seed=seed,
        seeds=seeds,
        models=models,
        store=store,
        output=output,
        note=note.strip(),
        settings=tuple(settings or ()),
        precision=precision,
        engine=engine,
        together=together,
        processes=processes,
    )
    answer(request)
