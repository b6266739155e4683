"""`resbench plan`: what a suite will cost here, what of it fits into a time, and what that can show."""

from typing import Annotated

import typer

from resbench.cli.output import Format
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
from resbench.errors import UsageError
from resbench.specs import Precision

EPILOG = """
Examples:

  resbench plan --suite cifar_depth --seeds 5 --budget 2h --data .data

  resbench plan --suite voc_compare --scale smoke

  resbench plan --suite cifar_depth --seeds 3 --scale short --data .data --measure 10

  resbench plan --suite cifar_depth --scale short --data .data --from-ledger

  resbench plan --suite ./mine.toml --scale 0.01 --data .data --format json

  resbench plan --suite cifar_depth --seeds 3 --scale short --data .data --compare
"""


def plan(
    suite: SuiteName,
    budget: Annotated[
        str, typer.Option(help="The time there is, such as 90m, 2h or 1h30m: what fits into it is said.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field of every arm's recipe that is to be otherwise, after the scale, as for 'resbench run'.",
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="How much of it: smoke, short, full, or a share such as 0.01, as for 'resbench run'."
        ),
    ] = "full",
    data: Pictures = None,
    device: DeviceName = "cpu",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from --seed on.")] = 1,
    models: Models = "",
    store: Annotated[
        str, typer.Option(help="SQLite file of the results: what is stored there costs nothing.")
    ] = "resbench.db",
    measure: Annotated[
        float, typer.Option(min=0.1, help="Seconds to watch the steps of each arm, in several visits.")
    ] = 3.0,
    from_ledger: Annotated[
        bool,
        typer.Option(
            "--from-ledger",
            help="Of arms that differ in depth alone, measure three, and predict the others from their operations, with a "
            "larger error.",
        ),
    ] = False,
    precision: Annotated[
        Precision | None,
        typer.Option(help="Of the forward pass of every arm. [default: each arm's own]"),
    ] = None,
    memory_format: MemoryFormat = "auto",
    compiled: Compiled = False,
    fused: Fused = True,
    cuda_graph: CudaGraph = False,
    feed: FeedKind = "auto",
    threads: Threads = None,
    allocator: Allocator = "system",
    workers: Workers = 0,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Measure nothing: show what was predicted before beside what it took."
        ),
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="json has everything, csv the arms alone, both in base units.")
    ] = Format.TABLE,
) -> None:
    """Say what a suite will cost here, what of it fits into a time, and what that can show.

    A few real steps, test batches and checkpoints of each arm are done and timed, in turns; nothing of them is kept. Times are
    those of this machine as it is now, each with a 95 % interval. What is predicted is kept in the store, and stands
    beside what it took once that is known.
    """
    from resbench.cli.plan_question import Request, answer

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
        settings=tuple(settings or ()),
        scale=scale,
        data=data,
        device=device,
        seed=seed,
        seeds=seeds,
        models=models,
        store=store,
        budget_s=_budget_s(budget),
        measure_s=measure,
        by_ledger=from_ledger,
        compare=compare,
        precision=precision,
        engine=engine,
    )
    answer(request, output)


def _budget_s(text: str) -> float | None:
    from resbench.cli.train_question import seconds_of

    if not text:
        return None
    try:
        return seconds_of(text)
    except UsageError as error:
        raise UsageError(str(error).replace("--time-budget", "--budget")) from None
