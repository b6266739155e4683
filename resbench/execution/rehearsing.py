"""Measures what the experiments of a suite will take, by doing a little of each arm's: visit after visit, in turns.

Every arm is visited at least twice, the second time in reverse order, so that a machine whose pace changes shows it.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from resbench.datasets.data import Data
from resbench.datasets.progress import Report
from resbench.execution.forecast import Parts
from resbench.metrics.energy.counters import Counter, EnergyRefused
from resbench.models.devices import resolve_device
from resbench.results import digest, plain
from resbench.specs import Engine, Experiment, Recipe
from resbench.trial.rehearsal import Ending, Stage, rehearse_ending, rehearse_power, rehearse_steps
from resbench.trial.sampled_pictures import Opened, ToBuild, open_pictures
from resbench.trial.walking import Walk

_FREEDOM = 3
"""Degrees of freedom from which the drift is told, at least: with one, its interval is six times as wide."""
_OPEN = 3
"""Sets of pictures that are held at once."""
_SHARE_OF_TESTS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsals:
    """What was measured of each arm, by the key of its experiment.

    Attributes:
        parts: seconds of the parts of one run.
        once_s: seconds that the first run of all spends on files of scaled pictures.
        store_B: about how large those files are.
        feeds: how the pictures came, in words.
        refused: why the counter of joules could not be believed after all; empty where it could, or was none.
    """

    parts: Mapping[str, Parts]
    once_s: float
    store_B: int
    feeds: tuple[str, ...]
    refused: str = ""


def visits_of(arms: int) -> int:
    """Return how often each of so many arms is visited: twice, and more where few arms show little of the drift."""
    return 1 + max(1, math.ceil(_FREEDOM / arms))


def rehearse(
    experiments: Sequence[Experiment],
    data: Mapping[str, Data],
    engine: Engine,
    *,
    folder: Path,
    seconds: float,
    report: Report,
    counter: Counter | None = None,
) -> Rehearsals:
    """Measure what the parts of each experiment take.

    Args:
        experiments: that train, one of each arm.
        data: by the fingerprint of their identity.
        engine: how they will be run.
        folder: on the disk where checkpoints will lie.
        seconds: to watch each arm's steps, over all visits.
        report: is told how far this is.
        counter: of the device's joules, where one can be believed.

    Raises:
        UsageError: the device can't do what the engine asks for, or the pictures do not suit it.
        ResbenchError: a picture can't be read.
    """
    if not experiments:
        return Rehearsals(parts={}, once_s=0.0, store_B=0, feeds=())
    visits = visits_of(len(experiments))
    with _room(folder) as room:
        tour = _Tour(data, engine, room, seconds / visits, counter)
        for visit in range(visits):
            for place, experiment in enumerate(experiments if visit % 2 == 0 else reversed(experiments)):
                report("measuring", visit * len(experiments) + place, visits * len(experiments))
                tour.visit(experiment, report)
        report("measuring", visits * len(experiments), visits * len(experiments))
        return tour.found()


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=".rehearsal-", dir=folder))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


class _Cost(NamedTuple):
    """What a set of pictures costs, without the pictures."""

    opening_s: float
    to_build: tuple[ToBuild, ...]
    kind: str


class _Tour:
    """The state of one round of visits: what was found of each arm, and the pictures that are open."""

    def __init__(
        self, data: Mapping[str, Data], engine: Engine, room: Path, seconds: float, counter: Counter | None
    ) -> None:
        self._data, self._engine, self._room = data, engine, room
        self._seconds, self._counter = seconds, counter
        self._open: dict[str, Opened] = {}
        self._costs: dict[str, _Cost] = {}
        self._walks: dict[str, list[Walk]] = {}
        self._endings: dict[str, Ending] = {}
        self._watts: dict[str, tuple[float, ...]] = {}
        self._pictures: dict[str, str] = {}
        self._refused = ""

    def visit(self, experiment: Experiment, report: Report) -> None:
        """Do some steps of an experiment; at the first visit, the rest of a run, too."""
        recipe, data = _asked(experiment, self._data)
        opened = self._opened(experiment, recipe, data, report)
        stage = Stage(data=data, feeds=opened.feeds, engine=self._engine, folder=self._room)
        walk = rehearse_steps(experiment, stage, seconds=self._seconds)
        self._walks.setdefault(experiment.key, []).append(walk)
        if experiment.key in self._endings:
            return
        step_s = sum(walk.steps_s) / len(walk.steps_s)
        self._endings[experiment.key] = rehearse_ending(
            experiment, stage, step_s=step_s, seconds=_SHARE_OF_TESTS * self._seconds
        )
        self._power(experiment, stage, walk.start_s)

    def _power(self, experiment: Experiment, stage: Stage, start_s: float) -> None:
        if self._counter is None:
            return
        try:
            self._watts[experiment.key] = rehearse_power(experiment, stage, self._counter, start_s)
        except EnergyRefused as refused:
            self._counter, self._refused = None, str(refused)

    def found(self) -> Rehearsals:
        """Return what was measured."""
        parts = {key: self._parts(key, walks) for key, walks in self._walks.items()}
        costs = self._costs.values()
        # Arms that read the same pictures in other batches share their files.
        built = {one.path: one for cost in costs for one in cost.to_build}.values()
        return Rehearsals(
            parts=parts,
            once_s=sum(one.seconds for one in built),
            store_B=sum(one.size_B for one in built),
            feeds=tuple(dict.fromkeys(cost.kind for cost in costs)),
            refused=self._refused,
        )

    def _parts(self, key: str, walks: list[Walk]) -> Parts:
        ending = self._endings[key]
        return Parts(
            visits=tuple(walk.steps_s for walk in walks),
            # The first visit of all loads libraries, which a suite does once.
            start_s=min(walk.start_s for walk in walks),
            epoch_s=ending.epoch_s,
            test_start_s=ending.test_start_s,
            test_batch_s=ending.test_batch_s,
            opening_s=self._costs[self._pictures[key]].opening_s,
            checkpoint_B=ending.checkpoint_B,
            watts=self._watts.get(key, ()),
        )

    def _opened(self, experiment: Experiment, recipe: Recipe, data: Data, report: Report) -> Opened:
        asked = digest(plain(_as_pictures(recipe, data)))
        self._pictures[experiment.key] = asked
        if asked not in self._open:
            while len(self._open) >= _OPEN:
                del self._open[next(iter(self._open))]
            device = resolve_device(experiment.device)
            folder = self._room / asked[:16]
            opened = open_pictures(data, recipe, self._engine, device, folder=folder, report=report)
            self._open[asked] = opened
            cost = _Cost(opened.opening_s, opened.to_build, opened.feeds.train.kind)
            self._costs.setdefault(asked, cost)
        return self._open[asked]


def _asked(experiment: Experiment, data: Mapping[str, Data]) -> tuple[Recipe, Data]:
    if experiment.recipe is None or experiment.data is None:
        raise ValueError("only an experiment that trains can be rehearsed so")
    return experiment.recipe, data[experiment.data.fingerprint]


def _as_pictures(recipe: Recipe, data: Data) -> list[object]:
    """Return all that decides which pictures a run reads, and how."""
    limits = [recipe.train_limit, recipe.test_limit, recipe.validation, recipe.train_batch, recipe.test_batch]
    return [data.identity.fingerprint, recipe.pictures, limits]
