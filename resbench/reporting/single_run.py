"""A short report of one training run: what was asked, what differs from the recipe as published, what was found."""

from collections.abc import Sequence

from resbench.reporting.markdown import blocks, bullets, escaped, table
from resbench.results import Ending, Epoch, Measurement, Pass, Result, Unit
from resbench.specs import Recipe
from resbench.specs.overriding import Change
from resbench.units import duration, percent

CURVES = "curves.svg"
"""The name of the picture beside the report."""

_NAMES = {
    "top1_strict": "top-1, last epoch",
    "top5_strict": "top-5, last epoch",
    "top1_published": "top-1, best test epoch (chosen on the test set: a diagnostic)",
    "top5_published": "top-5, best test epoch (chosen on the test set: a diagnostic)",
    "images_per_second": "images trained on per second",
}

_PASSES = {"train": "training", "validation": "validation", "test": "test"}


def single_run(result: Result, published: Recipe, changes: Sequence[Change]) -> str:
    """Return the report as Markdown.

    Args:
        result: of a training run.
        published: the recipe it was made from.
        changes: in which fields the recipe that ran differs.
    """
    asked = result.experiment
    return (
        blocks(
            f"# {escaped(asked['model'])} by {escaped(asked['recipe']['name'])}",
            _limits(result, changes),
            bullets(_facts(result, published)),
            "## What was found",
            table(
                ("figure", "value"),
                [(name, shown) for name, shown in map(_shown, result.measurements) if name],
                numbers=(1,),
            ),
            f"![Loss and accuracy over the epochs]({CURVES})" if result.epochs else "",
            _changed(published, changes),
            "## Epochs",
            _epochs(result.epochs),
            "## Where it ran",
            bullets(
                f"{escaped(name)}: {escaped(value)}"
                for facts in (
                    result.environment.machine,
                    result.environment.software,
                    result.environment.settings,
                )
                for name, value in facts.items()
            ),
        )
        + "\n"
    )


def _limits(result: Result, changes: Sequence[Change]) -> str:
    found = []
    if changes:
        found.append(f"{len(changes)} of the recipe's fields are not as published (see below)")
    if not result.experiment["data"]["official"]:
        found.append(f"the data are {escaped(result.experiment['data']['label'])}")
    return f"**Not comparable with published figures**: {'; '.join(found)}." if found else ""


def _facts(result: Result, published: Recipe) -> list[str]:
    asked, data = result.experiment, result.experiment["data"]
    source = published.source
    facts = [
        f"data: {escaped(data['label'])}, {data['train_samples']:,} training samples, {data['test_samples']:,} test samples",
        f"recipe: `{published.name}`, {escaped(source.title)}, {escaped(source.where)}, <{source.url}>",
        f"seed {asked['seed']}, {asked['precision']}, on {asked['device']}, scale {asked['scale']}",
        f"began {result.started}, took {duration(result.seconds)}",
        f"key {result.key}",
    ]
    if result.outcome is Ending.DIVERGED:
        facts.append(f"**diverged** at step {result.diverged_at}: there is no accuracy")
    return [*facts, *(escaped(note) for note in result.notes)]


def _shown(measurement: Measurement) -> tuple[str, str]:
    name = _NAMES.get(measurement.metric, "")
    if measurement.unit is Unit.PER_SECOND:
        return name, f"{measurement.value:.0f}"
    return name, f"{percent(measurement.value)} (n = {measurement.n:,})"


def _changed(published: Recipe, changes: Sequence[Change]) -> str:
    if not changes:
        return "The recipe ran as published."
    rows = [(f"{change.field}", change.published or "none", change.asked or "none") for change in changes]
    return blocks(
        f"## What differs from {escaped(published.name)}", table(("field", "published", "here"), rows)
    )


def _epochs(epochs: Sequence[Epoch]) -> str:
    shown = [name for name in _PASSES if any(getattr(epoch, name) for epoch in epochs)]
    heads = ["epoch", "learning rate"]
    for name in shown:
        heads += [f"{_PASSES[name]} loss", "top-1", *(["top-5"] if name != "train" else [])]
    rows = [
        [
            str(epoch.number),
            f"{epoch.learning_rate:.6g}",
            *(c for name in shown for c in _cells(getattr(epoch, name), top5=name != "train")),
        ]
        for epoch in epochs
    ]
    return table(heads, rows, numbers=range(len(heads)))


def _cells(found: Pass | None, *, top5: bool) -> list[str]:
    if found is None:
        return [""] * (2 + top5)
    return [f"{found.loss:.4f}", percent(found.top1), *([percent(found.top5)] if top5 else [])]
