"""The two readings of accuracy side by side, with what guessing would score."""

from resbench.reporting.comparison import rows_of
from resbench.reporting.figures import NONE, NOT_RUN, best_epoch, interval_of, points, share, test_samples
from resbench.reporting.markdown import blocks, table
from resbench.reporting.selection import Selection
from resbench.results import Result
from resbench.units import percent


def readings(selection: Selection) -> str:
    """Return the table of the published and the strict reading, their difference, and the baselines."""
    headers = (
        "Architecture",
        "Seed",
        "Accuracy",
        "As published, %",
        "of epoch",
        "Strict, %",
        "of epoch",
        "Difference, points",
        "Test samples",
    )
    rows: list[tuple[str, ...]] = []
    for row in rows_of(selection):
        for metric, name in (("top1", "top-1"), ("top5", "top-5")):
            if row.trained is None:
                rows.append((row.arm.label, NONE, name, NOT_RUN, NONE, NOT_RUN, NONE, NONE, NONE))
            else:
                seed = str(row.trained.experiment["seed"])
                rows.append((row.arm.label, seed, name, *_cells(row.trained, metric)))
    note = (
        "*As published* takes the best test epoch, so the test set itself chose it, and averages over batches, so a "
        "sample in a smaller last batch weighs more. *Strict* takes the last epoch and counts every sample the same. "
        "Strict is the figure to trust; the other is there to compare with. The difference is as published minus "
        "strict. Brackets are 95 % intervals (Wilson) for the test samples alone."
    )
    return blocks(note, table(headers, rows, numbers=range(3, 9)), baselines(selection))


def _cells(trained: Result, metric: str) -> tuple[str, ...]:
    published, strict = trained.find(f"{metric}_published"), trained.find(f"{metric}_strict")
    samples = test_samples(trained)
    best = best_epoch(trained, metric)
    difference = NONE
    if published and strict:
        difference = points(published.value - strict.value, interval_of(strict, samples))
    return (
        share(published, samples),
        f"{best.number} of {len(trained.epochs)}" if best else NONE,
        share(strict, samples),
        str(trained.epochs[-1].number) if trained.epochs else NONE,
        difference,
        f"{samples:,}" if samples else NONE,
    )


def baselines(selection: Selection) -> str:
    """Return what guessing would score on the data of the runs; empty where nothing was trained."""
    several = len(selection.data) > 1
    lines = []
    for data in selection.data:
        classes = data["classes"]
        where = f" on {data['label']} of {classes} classes" if several else ""
        lines.append(
            f"To beat{where}: always naming the most frequent class scores "
            f"{percent(data['majority'], 1)} top-1; guessing among {classes} classes at random scores {percent(1 / classes, 1)} "
            f"top-1 and {percent(min(1.0, 5 / classes), 1)} top-5."
        )
    return blocks(*lines)
