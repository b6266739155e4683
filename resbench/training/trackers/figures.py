"""What every tracker is told, under the same names; a watch that passes it on, once a figure."""

from collections.abc import Callable, Mapping

from resbench.results import Epoch
from resbench.training.watching import Step, Unwatched

Tell = Callable[[Mapping[str, float], int], None]
"""Takes figures by name, and the number of training samples seen until then."""


def figures_of(epoch: Epoch) -> dict[str, float]:
    """Return the figures of a finished epoch by name; shares from 0 to 1."""
    found = {"epoch": float(epoch.number), "learning_rate": epoch.learning_rate}
    for name in ("train", "validation", "test"):
        passed = getattr(epoch, name)
        if passed is not None:
            found |= {f"{name}/{what}": getattr(passed, what) for what in ("loss", "top1", "top5")}
    return found | {"train/images_per_second": epoch.train.samples / epoch.train.seconds}


class Telling(Unwatched):
    """Tells of each epoch, and within it of loss and accuracy now and then.

    The axis is the number of training samples: it is the same for every batch size, and known after a resume, too.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._an_epoch = 0
        self._seen = 0

    def step(self, step: Step) -> None:
        """Tell where training stands."""
        if step.phase == "train":
            # After a resume the samples of the epochs before are known from the length of this one.
            self._an_epoch = max(self._an_epoch, round(step.samples * step.total / step.done))
            self._seen = (step.epoch - 1) * self._an_epoch + step.samples
            self._tell({"step/loss": step.loss, "step/top1": step.top1}, self._seen)

    def epoch(self, epoch: Epoch, epochs: int) -> None:  # noqa: ARG002 - the signature is the watch's
        """Tell what an epoch found."""
        self._seen = max(self._seen, (epoch.number - 1) * self._an_epoch + epoch.train.samples)
        self._tell(figures_of(epoch), self._seen)
