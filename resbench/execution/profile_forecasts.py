"""Between which times the profiles of a suite lie."""

from collections.abc import Iterable

from resbench.datasets.progress import Report
from resbench.execution.forecast import Estimate
from resbench.specs import Experiment
from resbench.trial.profile_time import Bounds, apart_seconds, bounds_of, call_seconds


def profiles_of(waiting: Iterable[Experiment], report: Report) -> dict[str, Estimate]:
    """Return between which times each profile lies; what it does beside its clocks is timed for the first alone."""
    every, apart_s = list(waiting), 0.0
    found = {}
    for place, experiment in enumerate(every):
        report("calling", place, len(every))
        apart_s = apart_s or apart_seconds(experiment)
        bounds = bounds_of(experiment, call_seconds(experiment), apart_s)
        found[experiment.key] = _middle(bounds)
    if every:
        report("calling", len(every), len(every))
    return found


def _middle(bounds: Bounds) -> Estimate:
    return Estimate((bounds.low + bounds.high) / 2, bounds.low, bounds.high)
