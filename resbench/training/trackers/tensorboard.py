"""Event files for TensorBoard, written by torch."""

from collections.abc import Mapping
from pathlib import Path

from resbench.errors import UsageError
from resbench.training.trackers.figures import Telling
from resbench.training.trackers.opening import Tracked, Tracker, require


def open_tracker(where: str, run: Tracked) -> Tracker:
    """Return a tracker that writes below the folder `where`, in one folder a run.

    Raises:
        UsageError: tensorboard is not installed, or the folder can't be written.
    """
    folder = Path(where or "runs") / f"{run.name}-{run.key}"
    writing = require("torch.utils.tensorboard", "tensorboard")
    try:
        writer = writing.SummaryWriter(str(folder))
    except OSError as error:
        raise UsageError(f"--track tensorboard can't write to {folder}: {error.strerror}") from error
    settings = "\n".join(f"    {name} = {value}" for name, value in run.settings.items())
    writer.add_text("experiment", settings)

    def tell(figures: Mapping[str, float], samples: int) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, samples)

    return Tracker(Telling(tell), lambda _finished: writer.close())
