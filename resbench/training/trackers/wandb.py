"""Weights & Biases."""

from collections.abc import Mapping

from resbench.training.trackers.figures import Telling
from resbench.training.trackers.opening import Tracked, Tracker, require


def open_tracker(where: str, run: Tracked) -> Tracker:
    """Return a tracker that logs to the project `where`; a run that goes on is the same run there.

    Raises:
        UsageError: wandb is not installed.
    """
    wandb = require("wandb", "wandb")
    logged = wandb.init(
        project=where or "resbench", name=run.name, id=run.key, resume="allow", config=dict(run.settings)
    )

    def tell(figures: Mapping[str, float], samples: int) -> None:
        # Its own step may not go back, as it does where a run goes on: the axis is a figure like the others.
        logged.log({**figures, "samples": samples})

    return Tracker(Telling(tell), lambda finished: logged.finish(exit_code=0 if finished else 1))
