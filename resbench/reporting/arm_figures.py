"""The figures of a suite's arms, each from one result, and their mean over seeds."""

from dataclasses import replace

from resbench.reporting.selection import Selection
from resbench.results import Measurement, Result
from resbench.specs import Arm

NAMES = {
    "top1_error": "top-1 error",
    "top5_error": "top-5 error",
    "top1_strict": "top-1 accuracy",
    "top5_strict": "top-5 accuracy",
    "top1_accuracy": "top-1 accuracy",
    "top5_accuracy": "top-5 accuracy",
    "parameters": "parameters, million",
    "macs": "multiply-accumulates, 1e9",
    "file_size": "size of the weights' file",
}
"""What a reader calls a metric."""


def figure_of(result: Result, metric: str) -> Measurement | None:
    """Return a result's figure of `metric`, or None where it has none: a training that diverged has no accuracy.

    Errors are what the strict reading leaves: the last epoch, every test sample the same.
    """
    for ending in ("_error", "_accuracy"):
        if metric.endswith(ending):
            found = result.find(f"{metric.removesuffix(ending)}_strict")
            if found is None:
                return None
            value = 1 - found.value if ending == "_error" else found.value
            return replace(found, metric=metric, value=value)
    return result.find(metric, "core" if metric == "macs" else None)


def figures_of(selection: Selection, arm: Arm, metric: str) -> dict[int, Measurement]:
    """Return an arm's figure of `metric` by seed, without those that diverged."""
    found = {}
    for result in selection.trained.get(arm.id, ()):
        measured = figure_of(result, metric)
        if measured is not None:
            found[int(result.experiment["seed"])] = measured
    return found
