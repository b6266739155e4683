"""`resbench find-lr`: the range of learning rates that a network can be trained at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.output import Format
from resbench.errors import ResbenchError, Stopped, UsageError

if TYPE_CHECKING:
    from resbench.cli.train_question import Question
    from resbench.training.lr_finder import Point, Sweep

EPILOG = """
Examples:

  resbench find-lr cifar_resnet20 --recipe he2015_cifar --data .data

  resbench find-lr cifar_resnet20 --recipe he2015_cifar --data .data --plot rates.svg

  resbench find-lr resnet18 --recipe voc_zj2020 --data .data --first 1e-6 --last 1 --steps 150 --format json
"""


def find_lr(
    model: Annotated[str, typer.Argument(help="A network of 'resbench list models'.")],
    recipe: Annotated[str, typer.Option(help="How it is trained: voc_zj2020, he2015_cifar, ...")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the real pictures. [default: drawn ones, at scale smoke]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of the recipe that is to be otherwise."),
    ] = None,
    first: Annotated[float, typer.Option(help="The first rate.")] = 1e-5,
    last: Annotated[float, typer.Option(help="The last rate.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Batches to train on, each at a higher rate.")] = 100,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Decides initialisation, order and augmentation.")
    ] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    plot: Annotated[Path | None, typer.Option(help="Draw loss against rate: a .svg or .png file.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="How it is shown; json and csv have every step.")
    ] = Format.TABLE,
) -> None:
    """Find the range of learning rates that a network can be trained at.

    One sweep of rising rates (Smith 2017), from the weights that training would start from, until the loss diverges.
    """
    from resbench.cli.find_lr_views import show, write_plot
    from resbench.cli.train_question import Asked, question_of

    if plot is not None and (
        plot.suffix not in (".svg", ".png") or not plot.parent.is_dir() or plot.is_dir()
    ):
        raise UsageError(f"--plot {plot}: give a .svg or .png file in a folder that exists")
    question = question_of(
        Asked(
            model=model,
            recipe=recipe,
            settings=tuple(settings or ()),
            data=data,
            scale="smoke" if data is None else "full",
            seed=seed,
            device=device,
        )
    )
    found = _swept(question, first, last, steps)
    if not found.points:
        raise ResbenchError(f"the loss is no number from the first rate, {first:g}, on: try a lower --first")
    if plot is not None:
        write_plot(plot, found, question)
    show(found, question, output)


def _swept(question: "Question", first: float, last: float, steps: int) -> "Sweep":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from resbench.cli.progress import stop_on_signals
    from resbench.trial.before_training import sweep_of

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeRemainingColumn())
    console = Console(stderr=True)
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with stop_on_signals() as stop, shown as bar:
        task = bar.add_task("", total=steps)

        def tell(point: "Point") -> None:
            bar.update(task, advance=1, description=f"rate {point.rate:.2e}  loss {point.loss:.3f}")
            if stop.signal:
                raise Stopped("stopped")

        try:
            return sweep_of(
                question.experiment, question.data, first=first, last=last, steps=steps, tell=tell
            )
        except Stopped:
            raise stop.explained("stopped; nothing is kept of an unfinished sweep") from None
