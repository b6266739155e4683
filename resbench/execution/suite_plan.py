"""What a suite will cost here: measured a little, predicted, laid out in the order of its experiments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resbench.datasets.data import Data
from resbench.datasets.progress import Report
from resbench.execution.by_ledger import families_of, to_measure, with_the_others
from resbench.execution.fitting import Line, in_order
from resbench.execution.forecast import (
    Drift,
    Estimate,
    Parts,
    added,
    around,
    drift_of,
    error_of,
    joules_of,
    seconds_of,
    work_of,
)
from resbench.execution.others import watch_others
from resbench.execution.planning import Asked, experiments_of
from resbench.execution.profile_forecasts import profiles_of
from resbench.execution.rehearsing import rehearse
from resbench.metrics.energy.counters import Counter
from resbench.specs import Arm, DataIdentity, Engine, Experiment, Recipe, Suite
from resbench.store.store import Store
from resbench.training import checkpoint

Questions = Sequence[tuple[Arm, Experiment]]

_RESULT_B, _EPOCH_B = 8_000, 1_500
"""Of a stored result, and of each of its epochs, which is recorded twice: while under way, and in the result."""
_CHECKPOINTS = 3
"""Of a run, the last two are kept, and a third is written before the older goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What each run of one arm was found to take.

    Attributes:
        parts: what was measured.
        run: seconds of one run, as its result will state them.
        joules: of one run; None where no counter tells.
        images: that one run trains on.
    """

    arm: Arm
    parts: Parts
    run: Estimate
    joules: Estimate | None
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePlan:
    """What a suite will cost.

    Attributes:
        lines: every experiment in the order they run, with the time when each is done.
        forecasts: of the arms that still train, by the arm's `id`.
        profiles: seconds of each profile that is still to be done, by the key of its experiment.
        total: seconds until all is done.
        once_s: of these, for files of scaled pictures, before the first run.
        store_B: about how large those files are.
        feeds: how pictures come.
        drift: of the pace between visits; None where nothing was measured.
        floor: the machine's noise floor, as a share; 0 where it is not known.
        foreign_cores: how many cores other programs kept busy meanwhile; None where that can't be told.
        refused: why the counter of joules could not be believed after all; else empty.
    """

    lines: tuple[Line, ...]
    forecasts: Mapping[str, Forecast]
    profiles: Mapping[str, Estimate]
    total: Estimate
    once_s: float
    store_B: int
    feeds: tuple[str, ...]
    drift: Drift | None
    floor: float
    foreign_cores: float | None
    refused: str

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes that checkpoints take at the most, while a run is under way: they go with its result."""
        return _CHECKPOINTS * max((one.parts.checkpoint_B for one in self.forecasts.values()), default=0)

    @property
    def result_bytes(self) -> int:
        """About how many bytes the results that are still to come add to the store: one as large as others, and its epochs."""
        runs = [line for line in self.lines if line.known is None]
        epochs = sum(work_of(*_asked(line.experiment)).epochs for line in runs if line.experiment.recipe)
        return _RESULT_B * len(runs) + _EPOCH_B * epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """On what a suite is planned.

    Attributes:
        data: by the fingerprint of their identity.
        engine: how trainings will be run.
        store: where results and checkpoints will lie.
        seconds: to watch each arm's steps.
        start_s: seconds before the first experiment: libraries, and the index of the data.
        floor: the machine's noise floor, as a share; 0 where it is not known.
        counter: of the device's joules, or None.
        by_ledger: whether arms of one family are predicted from three of them.
    """

    data: Mapping[str, Data]
    engine: Engine
    store: Store
    seconds: float
    start_s: float
    floor: float
    counter: Counter | None
    by_ledger: bool = False


def questions_of(suite: Suite, arms: Sequence[Arm], asked: Asked) -> Questions:
    """Return the experiments that answer a suite, in the order they run, each with its arm.

    Raises:
        UsageError: a setting can't be used, or leaves two arms that ask the same.
    """
    of_arm = {one.key: arm for arm in reversed(arms) for one in experiments_of(suite, [arm], asked)}
    return tuple((of_arm[one.key], one) for one in experiments_of(suite, arms, asked))


def plan_suite(questions: Questions, place: Place, report: Report) -> SuitePlan:
    """Measure a little of each arm, and lay out what the whole takes. What is stored takes nothing.

    An arm that trains over several processes is not measured, and has no forecast.

    Raises:
        UsageError: the device can't do what is asked of it, or the pictures do not suit the engine.
        ResbenchError: a picture can't be read.
    """
    known = {one.key: result for _, one in questions if (result := place.store.get(one.key))}
    waiting = [(arm, one) for arm, one in questions if one.key not in known]
    firsts = _first_of_each(waiting)
    folder = checkpoints_of(place.store)
    families = families_of(list(firsts.values()))
    look = watch_others()
    found = rehearse(
        to_measure(families) if place.by_ledger else list(firsts.values()),
        place.data,
        place.engine,
        folder=folder.parent,
        seconds=place.seconds,
        report=report,
        counter=place.counter,
    )
    drift = drift_of(list(found.parts.values())) if found.parts else None
    forecasts = _forecasts(waiting, firsts, with_the_others(families, found.parts), drift, place)
    profiles = profiles_of([one for _, one in waiting if one.profiling is not None], report)
    left = {**profiles, **_left(waiting, forecasts, folder)}
    foreign_cores = look()
    lines = in_order(questions, known, left, around(place.start_s + found.once_s, 0.0))
    return SuitePlan(
        lines=lines,
        forecasts=forecasts,
        profiles=profiles,
        total=lines[-1].ends if lines else Estimate(0, 0, 0),
        once_s=found.once_s,
        store_B=found.store_B,
        feeds=found.feeds,
        drift=drift,
        floor=place.floor,
        foreign_cores=foreign_cores,
        refused=found.refused,
    )


def checkpoints_of(store: Store) -> Path:
    """Return the folder of a store's runs under way."""
    return store.path.with_name(f"{store.path.name}.checkpoints")


def _first_of_each(waiting: Questions) -> dict[str, Experiment]:
    """Return one training of each arm, by the arm's `id`: its seeds take the same time."""
    found: dict[str, Experiment] = {}
    for arm, experiment in waiting:
        if experiment.recipe is not None and experiment.processes == 1:
            found.setdefault(arm.id, experiment)
    return found


def _forecasts(
    waiting: Questions,
    firsts: Mapping[str, Experiment],
    found: Mapping[str, Parts],
    drift: Drift | None,
    place: Place,
) -> dict[str, Forecast]:
    arms = {arm.id: arm for arm, _ in waiting}
    forecasts = {}
    for name, experiment in firsts.items():
        parts, work = found[experiment.key], work_of(*_asked(experiment))
        assert drift is not None
        run_s = seconds_of(parts, work, place.engine.checkpoint_s)
        run = around(run_s, error_of(parts, drift, place.floor))
        forecasts[name] = Forecast(
            arm=arms[name], parts=parts, run=run, joules=joules_of(parts, run), images=work.images
        )
    return forecasts


def _left(waiting: Questions, forecasts: Mapping[str, Forecast], folder: Path) -> dict[str, Estimate]:
    """Return what each training still takes, opening included: one under way goes on from its checkpoint."""
    found = {}
    for arm, experiment in waiting:
        forecast = forecasts.get(arm.id)
        if experiment.recipe is None or experiment.data is None or forecast is None:
            continue
        done = checkpoint.load(folder / experiment.key)
        whole = work_of(experiment.recipe, experiment.data).all_steps
        rest = 1.0 if done is None else max(0.0, 1 - done.step / whole)
        opening_s = forecast.parts.opening_s
        found[experiment.key] = added(
            (
                Estimate(*(rest * end for end in forecast.run)),
                around(opening_s, forecast.run.high / forecast.run.value - 1),
            )
        )
    return found


def _asked(experiment: Experiment) -> tuple[Recipe, DataIdentity]:
    if experiment.recipe is None or experiment.data is None:
        raise ValueError("only an experiment that trains has a recipe and data")
    return experiment.recipe, experiment.data
