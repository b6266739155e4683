"""Every run on a line of its own, with the interval that its test samples leave."""

from resbench.reporting.arm_figures import NAMES, figure_of
from resbench.reporting.figures import NONE, share, test_samples
from resbench.reporting.markdown import blocks, table
from resbench.reporting.selection import Selection
from resbench.results import Result


def arm_runs(selection: Selection) -> str:
    """Return the table of single runs; empty where there are none."""
    metric = selection.suite.metric
    rows = [
        (
            arm.label,
            str(result.experiment["seed"]),
            _figure(result, metric),
            _training(result),
            f"{len(result.epochs)}",
        )
        for arm in selection.arms
        for result in selection.trained.get(arm.id, ())
    ]
    if not rows:
        return ""
    name = NAMES.get(metric, metric)
    headers = ("Arm", "Seed", f"{name[:1].upper()}{name[1:]}, %", "Training error at the end, %", "Epochs")
    note = (
        "Brackets are 95 % intervals (Wilson) for the choice of test samples alone; that from seed to seed is above. The "
        "training error is of augmented pictures, while the weights still change."
    )
    return blocks(note, table(headers, rows, numbers=(1, 4)))


def _figure(result: Result, metric: str) -> str:
    found = figure_of(result, metric)
    return "diverged" if found is None else share(found, test_samples(result))


def _training(result: Result) -> str:
    return f"{100 * (1 - result.epochs[-1].train.top1):.2f}" if result.epochs else NONE
