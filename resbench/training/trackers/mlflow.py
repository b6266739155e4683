"""MLflow."""

from collections.abc import Mapping

from resbench.training.trackers.figures import Telling
from resbench.training.trackers.opening import Tracked, Tracker, require

_LONGEST = 500
"""Characters of a parameter that every MLflow server takes."""


def open_tracker(where: str, run: Tracked) -> Tracker:
    """Return a tracker that logs to the experiment `where`; a run that goes on is another run of the same tag there.

    Raises:
        UsageError: mlflow is not installed.
    """
    mlflow = require("mlflow", "mlflow")
    mlflow.set_experiment(where or "resbench")
    mlflow.start_run(run_name=run.name, tags={"resbench.key": run.key})
    mlflow.log_params({name: str(value)[:_LONGEST] for name, value in run.settings.items()})

    def tell(figures: Mapping[str, float], samples: int) -> None:
        mlflow.log_metrics(dict(figures), step=samples)

    return Tracker(
        Telling(tell), lambda finished: mlflow.end_run(status="FINISHED" if finished else "KILLED")
    )
