"""Several watches of one execution as one: a display, the record in the store, trackers."""

from collections.abc import Callable, Sequence

from resbench.errors import ResbenchError
from resbench.execution.progress import Progress
from resbench.results import Epoch, Result
from resbench.specs import Experiment
from resbench.store.store import Store
from resbench.training.watching import Step, Unwatched, Watch


def watched_by(progress: Progress, *watches: Watch) -> Progress:
    """Return a progress that tells every watch and then `progress` the same; any of them may ask for an end.

    What a person reads comes last, so that it is recorded by then.
    """
    return _Several(progress, watches) if watches else progress


def recorded(progress: Progress, store: Store) -> Progress:
    """Return a progress that records in the store, too, which training of a suite is under way, and its epochs."""
    return _Recorded(progress, store)


class Recording(Unwatched):
    """Records in the store that a run is under way, and its epochs as they finish, for whoever reads it meanwhile."""

    def __init__(self, store: Store, experiment: Experiment) -> None:
        self._store, self._experiment, self._begun = store, experiment, False

    def step(self, step: Step) -> None:  # noqa: ARG002 - the signature is the watch's
        """Record that the run is under way; a step itself is not recorded."""
        self.begin()

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Record it."""
        self.begin()
        self._store.epochs.add(self._experiment.key, epoch, epochs)

    def begin(self) -> None:
        """Record the run itself, once."""
        if not self._begun:
            self._store.epochs.begin(self._experiment)
            self._begun = True


class Guarded:
    """A watch that may fail: said once, then left out, for training does not end because a chart can't be drawn."""

    def __init__(self, watch: Watch, name: str, say: Callable[[str], None]) -> None:
        self._watch: Watch = watch
        self._name, self._say = name, say

    def step(self, step: Step) -> None:
        """Pass it on."""
        self._try(lambda: self._watch.step(step))

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        """Pass it on."""
        self._try(lambda: self._watch.epoch(epoch, epochs))

    def resumed(self, epoch: int) -> None:
        """Pass it on."""
        self._try(lambda: self._watch.resumed(epoch))

    def stopping(self) -> bool:
        """Return what it says; one that fails does not end the run."""
        return self._watch.stopping()

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except ResbenchError:
            raise
        except Exception as error:  # noqa: BLE001 - other people's code, and nothing of the run depends on it
            self._watch = Unwatched()
            self._say(f"{self._name} gets no more of this run: {type(error).__name__}: {error}")


class _Several:
    def __init__(self, progress: Progress, watches: Sequence[Watch]) -> None:
        self._progress, self._watches = progress, watches

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        self._progress.begin(experiment, position, total)

    def reuse(self, result: Result, position: int, total: int) -> None:
        self._progress.reuse(result, position, total)

    def status(self, doing: str) -> None:
        self._progress.status(doing)

    def finish(self, result: Result, position: int, total: int) -> None:
        self._progress.finish(result, position, total)

    def step(self, step: Step) -> None:
        for watch in (*self._watches, self._progress):
            watch.step(step)

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        for watch in (*self._watches, self._progress):
            watch.epoch(epoch, epochs)

    def resumed(self, epoch: int) -> None:
        for watch in (*self._watches, self._progress):
            watch.resumed(epoch)

    def stopping(self) -> bool:
        return self._progress.stopping() or any(watch.stopping() for watch in self._watches)


class _Recorded(_Several):
    def __init__(self, progress: Progress, store: Store) -> None:
        super().__init__(progress, ())
        self._store = store

    def begin(self, experiment: Experiment, position: int, total: int) -> None:
        # A profile has no epochs.
        self._watches = () if experiment.recipe is None else (Recording(self._store, experiment),)
        super().begin(experiment, position, total)
