"""From a suite and what the user asked for to the experiments that answer it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from resbench.errors import UsageError
from resbench.execution.scaling import Amount, reduced
from resbench.specs import Arm, DataIdentity, Experiment, Kind, Scale, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a suite is to be run.

    Attributes:
        amount: how much of it.
        seeds: of the trainings; every arm has the same, so that differences between arms are paired.
        device: `cpu`, `cuda` or `cuda:1`.
        data: identity of each data set by its name in the suite.
        machine: identity of the machine that profiles.
    """

    amount: Amount
    seeds: Sequence[int]
    device: str
    data: Mapping[str, DataIdentity]
    machine: str


def experiments_of(suite: Suite, arms: Sequence[Arm], asked: Asked) -> tuple[Experiment, ...]:
    """Return the suite's experiments in the order they run: each arm is profiled, then all are trained, seed by seed.

    A profile depends on the machine, so the machine is part of its question, and not on the seed; a training run is the
    same question everywhere, and its result says where it was answered. Seed by seed, because a run that is ended early
    then has the same seeds of every arm.
    """
    return (*_profiles(suite, arms, asked), *_trainings(suite, arms, asked))


def _profiles(suite: Suite, arms: Sequence[Arm], asked: Asked) -> Iterator[Experiment]:
    for arm in arms:
        profiling = suite.profiling_of(arm)
        if profiling is not None and suite.kind in (Kind.TRAINED, Kind.TIMED):
            yield Experiment(
                model=arm.model,
                device=asked.device,
                precision=arm.precision,
                seed=0,
                scale=asked.amount.scale,
                profiling=profiling,
                machine=asked.machine,
            )


def _trainings(suite: Suite, arms: Sequence[Arm], asked: Asked) -> Iterator[Experiment]:
    for seed in asked.seeds:
        for arm in arms:
            recipe = suite.recipe_of(arm)
            if recipe is not None:
                data = asked.data[suite.data_of(arm)]
                yield Experiment(
                    model=arm.model,
                    device=asked.device,
                    precision=arm.precision,
                    seed=seed,
                    scale=asked.amount.scale,
                    recipe=reduced(recipe, asked.amount, data),
                    data=data,
                    processes=arm.processes,
                )


def check_scale(suite: Suite, scale: Scale, *, sample: bool) -> None:
    """Refuse to run more than a smoke test on drawn pictures.

    Raises:
        UsageError: `sample` at a scale that needs real pictures.
    """
    if sample and suite.data and scale not in (Scale.SMOKE, Scale.PART):
        raise UsageError(
            f"scale {scale} of {suite.name} needs real pictures: give --data DIR "
            f"('resbench data prepare {suite.data}' fetches them), or try --scale smoke on the built-in sample"
        )


def check_runnable(suite: Suite, arms: Sequence[Arm]) -> None:
    """Refuse arms that this command would answer otherwise than they ask.

    Raises:
        UsageError: they are weights of others, to be evaluated; or they train over several processes.
    """
    if split := [arm.id for arm in arms if arm.processes > 1]:
        raise UsageError(
            f"{', '.join(split)} of {suite.name}: 'resbench run' trains in one process, and batch norm would see more than "
            "the arm asks for: leave them out with --models, or train with 'resbench train --processes N'"
        )
    if suite.kind is Kind.EVALUATED:
        raise UsageError(
            f"{suite.name} tests weights that others trained, which 'resbench run' does not: 'resbench show suite "
            f"{suite.name}' shows them, and 'resbench evaluate' tests one network"
        )
