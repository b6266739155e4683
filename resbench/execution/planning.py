"""From a suite and what the user asked for to the experiments that answer it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.errors import UsageError
from resbench.execution.scaling import Amount, reduced
from resbench.specs import Arm, DataIdentity, Experiment, Kind, Precision, Recipe, Scale, Suite
from resbench.specs.overriding import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a suite is to be run.

    Attributes:
        amount: how much of it.
        seeds: of the trainings; every arm has the same, so that differences between arms are paired.
        device: `cpu`, `cuda` or `cuda:1`.
        data: identity of each data set by its name in the suite.
        machine: identity of the machine that profiles.
        settings: fields of every arm's recipe that are set otherwise, after the scale: `optimizer.lr=0.05`.
        precision: of every arm in place of its own; None: its own.
        processes: over which each training batch of every arm is split, in place of its own number; None: its own.
    """

    amount: Amount
    seeds: Sequence[int]
    device: str
    data: Mapping[str, DataIdentity]
    machine: str
    settings: tuple[str, ...] = ()
    precision: Precision | None = None
    processes: int | None = None


def experiments_of(suite: Suite, arms: Sequence[Arm], asked: Asked) -> tuple[Experiment, ...]:
    """Return the suite's experiments in the order they run: each arm is profiled, then all are trained, seed by seed.

    A profile depends on the machine, so the machine is part of its question, and not on the seed; a training run is the
    same question everywhere, and its result says where it was answered. Seed by seed, because a run that is ended early
    then has the same seeds of every arm.

    Raises:
        UsageError: a setting can't be used, or leaves two arms that ask the same.
    """
    return (*_profiles(suite, arms, asked), *_trainings(suite, arms, asked))


def _profiles(suite: Suite, arms: Sequence[Arm], asked: Asked) -> Iterator[Experiment]:
    for arm in arms:
        profiling = suite.profiling_of(arm)
        if profiling is not None and suite.kind in (Kind.TRAINED, Kind.TIMED):
            yield Experiment(
                model=arm.model,
                device=asked.device,
                precision=asked.precision or arm.precision,
                seed=0,
                scale=asked.amount.scale,
                profiling=profiling,
                machine=asked.machine,
            )


def _trainings(suite: Suite, arms: Sequence[Arm], asked: Asked) -> Iterator[Experiment]:
    recipes = _recipes(suite, arms, asked)
    for seed in asked.seeds:
        for arm in arms:
            if arm.id in recipes:
                yield Experiment(
                    model=arm.model,
                    device=asked.device,
                    precision=asked.precision or arm.precision,
                    seed=seed,
                    scale=asked.amount.scale,
                    recipe=recipes[arm.id],
                    data=asked.data[suite.data_of(arm)],
                    processes=_processes(arm, recipes[arm.id], asked),
                )


def _processes(arm: Arm, recipe: Recipe, asked: Asked) -> int:
    """Return the processes of the question: batch norm of the whole batch is the same over any number of them."""
    if asked.processes is None:
        return arm.processes
    return asked.processes if recipe.batch_norm == "per_process" else 1


def _recipes(suite: Suite, arms: Sequence[Arm], asked: Asked) -> dict[str, Recipe]:
    """Return the recipe that each arm is trained by, at its scale and then with its settings."""
    found: dict[str, Recipe] = {}
    for arm in arms:
        recipe = suite.recipe_of(arm)
        if recipe is None:
            continue
        part = reduced(recipe, asked.amount, asked.data[suite.data_of(arm)])
        try:
            found[arm.id] = override(part, asked.settings) if asked.settings else part
        except UsageError as error:
            # What is wrong for every arm is told of none.
            raise UsageError(f"{arm.id}: {error}" if found else str(error)) from None
    if asked.settings:
        _check_settings(suite, arms, found)
    return found


def _check_settings(suite: Suite, arms: Sequence[Arm], recipes: Mapping[str, Recipe]) -> None:
    """Refuse settings that nothing takes, or that take away what tells two arms apart."""
    if not recipes:
        raise UsageError(f"{suite.name} trains nothing: leave out --set")
    asked: dict[object, str] = {}
    for arm in arms:
        if arm.id not in recipes:
            continue
        recipe = replace(recipes[arm.id], name="", source=suite.source)
        first = asked.setdefault(
            (arm.model, suite.data_of(arm), arm.precision, arm.processes, recipe), arm.id
        )
        if first != arm.id:
            raise UsageError(
                f"with these settings {first} and {arm.id} ask the same: leave one out with --models, or set other fields"
            )


def check_one_for_all(suite: Suite, *, precision: Precision | None, processes: int | None) -> None:
    """Refuse one precision, or one number of processes, for arms that are told apart by it.

    Raises:
        UsageError: they are.
    """
    for name, given in (("precision", precision), ("processes", processes)):
        if given is not None and name in suite.differ_in:
            raise UsageError(f"the arms of {suite.name} differ in their {name}: leave out --{name}")


def check_scale(suite: Suite, scale: Scale, *, sample: bool) -> None:
    """Refuse to run more than a smoke test on drawn pictures, and a share of what is only timed.

    Raises:
        UsageError: `sample` at a scale that needs real pictures, or there is nothing to take a share of.
    """
    if suite.kind is Kind.TIMED and scale is Scale.PART:
        raise UsageError(
            f"{suite.name} only times, and has no pictures or iterations to take a share of: give --scale smoke, short or full"
        )
    name = next(filter(None, map(suite.data_of, (*suite.arms, *suite.extra))), "")
    if sample and name and scale not in (Scale.SMOKE, Scale.PART):
        raise UsageError(
            f"scale {scale} of {suite.name} needs real pictures: give --data DIR ('resbench data prepare {name}' fetches "
            "them, or says which go where), or try --scale smoke on the built-in sample"
        )


def check_predictable(suite: Suite, arms: Sequence[Arm]) -> None:
    """Refuse arms whose time is not predicted.

    Raises:
        UsageError: they are weights of others, to be tested; or they train over several processes.
    """
    if suite.kind is Kind.EVALUATED:
        raise UsageError(f"{suite.name} tests weights that others trained, and no time is predicted for that")
    if split := [arm.id for arm in arms if arm.processes > 1]:
        raise UsageError(
            f"no time is predicted for several processes: leave {', '.join(split)} out with --models"
        )


def check_pictures(experiments: Sequence[Experiment]) -> None:
    """Refuse pictures that are too small for a network, before anything is trained.

    Raises:
        UsageError: they are.
    """
    crops = {(one.model, one.recipe.pictures.crop) for one in experiments if one.recipe is not None}
    for model, crop in sorted(crops):
        # The number of classes does not matter for whether a picture is large enough.
        layers_of(find_architecture(model), (3, crop, crop))
