"""One training run as an experiment: model, data and device, trained and tested."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.datasets.data import Data
from resbench.datasets.progress import Report, silent
from resbench.environment import capture
from resbench.errors import UsageError
from resbench.metrics import parameters
from resbench.metrics.flops.measure import measure as measure_operations
from resbench.models.allocator import set_allocator
from resbench.models.build import build
from resbench.models.devices import resolve_device
from resbench.models.precision import float32_as, in_words
from resbench.results import Ending, Epoch, Measurement, Pass, Result, Statistic, Unit, plain
from resbench.specs import Engine, Experiment
from resbench.training.initialisation import initialise
from resbench.training.loop import Trained
from resbench.training.loop import train as train_epochs
from resbench.training.run import Run, open_feeds
from resbench.training.seeding import deterministic, stream
from resbench.training.step import format_of
from resbench.training.watching import Watch
from resbench.training.world import ALONE, World


def train(
    experiment: Experiment,
    data: Data,
    *,
    workers: int,
    folder: Path,
    watch: Watch,
    engine: Engine | None = None,
    world: World = ALONE,
    report: Report = silent,
) -> Result:
    """Train and test one model as its recipe says, from its last checkpoint where there is one.

    Args:
        experiment: with a recipe; the same experiment gives the same weights on the same machine.
        data: the samples whose identity the experiment holds.
        workers: processes that prepare pictures; the result does not depend on them.
        folder: where its checkpoints lie.
        watch: is told of its progress, and may ask for an end.
        engine: how it is run; its precision and its processes are the experiment's.
        world: the processes that train together.
        report: is told how many pictures are read, where that comes first.

    Raises:
        Stopped: the watcher asked for it.
        ResbenchError: a picture could not be read.
        UsageError: the device is not there, or can't do what is asked of it.
    """
    _check_processes(experiment, world)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    engine = replace(
        engine or Engine(), precision=experiment.precision, processes=world.size, workers=workers
    )
    allocator = set_allocator(engine.allocator)
    run = open_run(experiment, data, engine=engine, folder=folder, watch=watch, world=world, report=report)
    with float32_as(engine.precision), deterministic(run.device), threads_of(engine.threads):
        environment = capture(experiment.device, {**settings_of(run), "allocator": allocator})
        trained = train_epochs(run)
    crop = run.recipe.pictures.crop
    layers = layers_of(find_architecture(experiment.model), (3, crop, crop), data.identity.classes)
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(*parameters.measure(layers), *measure_operations(layers), *figures_of(trained)),
        environment=environment,
        epochs=trained.epochs,
        started=started,
        seconds=trained.seconds,
        outcome=trained.ending,
        diverged_at=trained.diverged_at,
    )


def open_run(
    experiment: Experiment,
    data: Data,
    *,
    engine: Engine,
    folder: Path,
    watch: Watch,
    world: World = ALONE,
    report: Report = silent,
) -> Run:
    """Return the run that answers an experiment, its network drawn and its pictures opened.

    Raises:
        ResbenchError: a picture could not be read.
        UsageError: the device is not there.
    """
    recipe = experiment.recipe
    if recipe is None or experiment.data != data.identity:
        raise ValueError("a training trial needs a recipe, and the data its experiment names")
    device = world.device(resolve_device(experiment.device))
    with stream(experiment.seed, "initialisation"):
        model = build(find_architecture(experiment.model), classes=data.identity.classes)
        initialise(model, recipe.initialisation)
    return Run(
        model=model.to(device),
        recipe=recipe,
        engine=engine,
        seed=experiment.seed,
        device=device,
        feeds=open_feeds(data, recipe, engine, device, progress=report),
        folder=folder,
        watch=watch,
        world=world,
    )


def _check_processes(experiment: Experiment, world: World) -> None:
    """Refuse to answer for another number of processes than is asked about, where that changes the answer.

    Raises:
        UsageError: batch norm would see other shares of the batch.
    """
    asked, recipe = experiment.processes, experiment.recipe
    apart = recipe is not None and recipe.batch_norm == "per_process"
    if asked != world.size and (apart or asked != 1):
        raise UsageError(
            f"the experiment splits each batch over {asked} process{'es' * (asked > 1)}, but {world.size} run: start it "
            f"with --processes {asked}, or choose batch_norm=synchronised"
        )


@contextmanager
def threads_of(count: int | None) -> Iterator[None]:
    """Let PyTorch use so many threads inside the block; None: as many as it does."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def settings_of(run: Run) -> dict[str, str]:
    """Return what ran, for the environment of the result."""
    engine = run.engine
    on = {True: "on", False: "off"}
    # Batches of the recipe's size alone are compiled, and so few samples fill none.
    unused = engine.compile and len(run.feeds.train) < run.recipe.train_batch
    return {
        "workers": str(engine.workers),
        "precision": in_words(engine.precision, whole_model=False, device=run.device),
        "memory format": format_of(engine, run.device),
        "torch.compile": "unused: no batch is whole" if unused else on[engine.compile],
        "fused optimiser": on[engine.fused or engine.cuda_graph],
        "CUDA graph": on[engine.cuda_graph],
        "pictures": run.feeds.train.kind,
        "processes": str(engine.processes),
    }


def figures_of(trained: Trained) -> tuple[Measurement, ...]:
    """Return what a training found; one that diverged has no accuracy, and no rate before its first epoch is over."""
    found = accuracies(trained.epochs) if trained.ending is Ending.FINISHED else ()
    return (*found, training_rate(trained.epochs)) if trained.epochs else found


def accuracies(epochs: tuple[Epoch, ...]) -> tuple[Measurement, ...]:
    """Return the readings of top-1 and top-5 that the epochs allow.

    *As published*: the best test epoch, each at its own, of the mean of batch means, where each epoch was tested: as
    the test set chooses the epoch, it is a diagnostic, and its method says what it adds. *Strict*: the last epoch, every
    sample equal. Of held-out samples, where there are any, the last epoch.
    """
    tests = [epoch.test for epoch in epochs if epoch.test is not None]
    found = []
    for name in ("top1", "top5"):
        last = getattr(tests[-1], name)
        if len(tests) == len(epochs):
            best = max(getattr(test, f"{name}_of_batches") for test in tests)
            found.append(_share(f"{name}_published", best, tests[-1], Statistic.BEST, _optimism(best - last)))
        found.append(_share(f"{name}_strict", last, tests[-1], Statistic.LAST))
    held_out = epochs[-1].validation
    if held_out is not None:
        found += [
            _share(f"{name}_validation", getattr(held_out, name), held_out, Statistic.LAST)
            for name in ("top1", "top5")
        ]
    return tuple(found)


def _share(metric: str, value: float, read: Pass, statistic: Statistic, method: str = "") -> Measurement:
    return Measurement(
        metric=metric, value=value, unit=Unit.ONE, statistic=statistic, n=read.samples, method=method
    )


def _optimism(difference: float) -> str:
    return (
        f"diagnostic: the epoch is chosen on the test set, by batch means; {100 * difference:+.2f} points over the "
        "last epoch"
    )


def training_rate(epochs: tuple[Epoch, ...]) -> Measurement:
    """Return the images trained on per second: the median over the epochs, reading and augmenting included."""
    rates = tuple(epoch.train.samples / epoch.train.seconds for epoch in epochs)
    return Measurement(
        metric="images_per_second",
        value=median(rates),
        unit=Unit.PER_SECOND,
        statistic=Statistic.MEDIAN,
        n=len(rates),
        method="training, an epoch at a time, wall time",
        samples=rates,
    )
