"""One training run as an experiment: model, data and device, trained and tested."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.datasets.data import Data
from resbench.environment import capture
from resbench.errors import UsageError
from resbench.metrics import parameters
from resbench.metrics.flops.measure import measure as measure_operations
from resbench.models.build import build
from resbench.models.devices import resolve_device
from resbench.models.precision import without_tf32
from resbench.results import Epoch, Measurement, Result, Statistic, Unit, plain
from resbench.specs import Experiment, Precision
from resbench.training.initialisation import initialise
from resbench.training.loop import Run
from resbench.training.loop import train as train_epochs
from resbench.training.seeding import deterministic, stream
from resbench.training.watching import Watch


def train(experiment: Experiment, data: Data, *, workers: int, folder: Path, watch: Watch) -> Result:
    """Train and test one model as its recipe says, from its last checkpoint where there is one.

    Args:
        experiment: with a recipe; the same experiment gives the same weights on the same machine.
        data: the samples whose identity the experiment holds.
        workers: processes that prepare pictures; the result does not depend on them.
        folder: where its checkpoints lie.
        watch: is told of its progress, and may ask for an end.

    Raises:
        Stopped: the watcher asked for it.
        ResbenchError: the training diverged, or a picture could not be read.
        UsageError: the device is not there, or the precision is not float32.
    """
    recipe = experiment.recipe
    if recipe is None or experiment.data != data.identity:
        raise ValueError("a training trial needs a recipe, and the data its experiment names")
    if experiment.precision is not Precision.FP32:
        raise UsageError(f"training runs in fp32, found {experiment.precision}")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    device = resolve_device(experiment.device)
    architecture = find_architecture(experiment.model)
    with stream(experiment.seed, "initialisation"):
        model = build(architecture, classes=data.identity.classes)
        initialise(model, recipe.initialisation)
    run = Run(
        model=model.to(device),
        data=data,
        recipe=recipe,
        seed=experiment.seed,
        device=device,
        workers=workers,
        folder=folder,
        watch=watch,
    )
    with without_tf32(), deterministic(device):
        environment = capture(experiment.device, {"workers": str(workers)})
        epochs, seconds = train_epochs(run)
    layers = layers_of(architecture, (3, recipe.pictures.crop, recipe.pictures.crop), data.identity.classes)
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(
            *parameters.measure(layers),
            *measure_operations(layers),
            *accuracies(epochs),
            training_rate(epochs),
        ),
        environment=environment,
        epochs=epochs,
        started=started,
        seconds=seconds,
    )


def accuracies(epochs: tuple[Epoch, ...]) -> tuple[Measurement, ...]:
    """Return both readings of top-1 and top-5.

    *As published*: the best test epoch, each at its own, of the mean of batch means. *Strict*: the last epoch, every
    sample equal.
    """
    found = []
    for name in ("top1", "top5"):
        best = max(getattr(epoch.test, f"{name}_of_batches") for epoch in epochs)
        last = getattr(epochs[-1].test, name)
        samples = epochs[-1].test.samples
        readings = (("published", best, Statistic.BEST), ("strict", last, Statistic.LAST))
        found += [
            Measurement(
                metric=f"{name}_{reading}", value=value, unit=Unit.ONE, statistic=statistic, n=samples
            )
            for reading, value, statistic in readings
        ]
    return tuple(found)


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
