"""What `resbench find-lr` shows: four rates in a line each, every step for a program, and a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.output import Format, print_json, print_line, print_records

if TYPE_CHECKING:
    from resbench.cli.train_question import Question
    from resbench.training.lr_finder import Sweep


def show(found: "Sweep", question: "Question", output: Format) -> None:
    """Print what a sweep found."""
    points = [point._asdict() for point in found.points]
    if output is Format.JSON:
        print_json({**_about(question), **_readings(found, question), "points": points})
    elif output is Format.CSV:
        print_records(points, output)
    else:
        rows = [
            {"rate": f"{rate:.3g}", "what": _WHAT[name].format(len(points))}
            for name, rate in _readings(found, question).items()
            if rate is not None
        ]
        print_records(rows, output, title=_title(question))
        if found.steepest is None and output is Format.TABLE:
            print_line(
                "\nThe smoothed loss never fell: more --steps, or a lower --first, would show where it does."
            )
        if found.diverged is None and output is Format.TABLE:
            print_line("\nNo rate diverged: a higher --last would show where training breaks.")


def write_plot(file: Path, found: "Sweep", question: "Question") -> None:
    """Draw loss against rate, to where the training diverged.

    Raises:
        UsageError: the file can't be written.
        ResbenchError: the disk is full.
    """
    from resbench.reporting.line_pictures import Line, Panel, draw
    from resbench.store.files import write_atomically

    rates = [point.rate for point in found.points]
    readings = _readings(found, question)
    panel = Panel(
        title=f"a step at each of {len(rates)} rates",
        x="learning rate",
        y="loss",
        lines=(
            Line(name="loss of each batch", x=rates, y=[point.loss for point in found.points], faint=True),
            Line(name="smoothed", x=rates, y=[point.smoothed for point in found.points]),
        ),
        marks={name: rate for name, rate in readings.items() if name != "lowest" and rate is not None},
        logarithmic=True,
    )
    write_atomically(file, draw((panel,), _title(question), form=file.suffix[1:]), "the picture")


_WHAT = {
    "steepest": "the smoothed loss fell fastest here: a rate to start from",
    "lowest": "the smoothed loss was least here: too high a rate for a whole training",
    "diverged": "the loss had risen to four times its least here ({} steps were trained)",
    "recipe": "the recipe's own",
}


def _readings(found: "Sweep", question: "Question") -> dict[str, float | None]:
    return {
        "steepest": found.steepest,
        "lowest": found.lowest,
        "diverged": found.diverged,
        "recipe": question.recipe.optimizer.lr,
    }


def _about(question: "Question") -> dict[str, object]:
    asked = question.experiment
    return {
        "model": asked.model,
        "recipe": question.recipe.name,
        "data": question.data.identity.label,
        "optimizer": question.recipe.optimizer.name,
        "batch": question.recipe.train_batch,
        "seed": asked.seed,
        "device": asked.device,
    }


def _title(question: "Question") -> str:
    about = _about(question)
    return (
        f"Learning rates of {about['model']}: {about['recipe']}, {about['optimizer']}, batch {about['batch']}, "
        f"on {about['data']}"
    )
