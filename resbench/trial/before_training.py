"""What is asked of a network before it is trained: how long that takes, at which rate, and whether it can learn at all."""

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from resbench.architectures.naming import find_architecture
from resbench.datasets.data import Data
from resbench.datasets.progress import Report, silent
from resbench.errors import UsageError
from resbench.models.build import build
from resbench.models.devices import resolve_device
from resbench.models.precision import check_precision, float32_as
from resbench.specs import Engine, Experiment, Precision, Recipe
from resbench.training.few_batches import FewBatches
from resbench.training.initialisation import initialise
from resbench.training.lr_finder import Point, Sweep, find_learning_rates, rates_of
from resbench.training.overfit import Overfit, overfit, threshold_of
from resbench.training.pace import Pace, measure_pace
from resbench.training.run import open_feeds
from resbench.training.seeding import deterministic, stream
from resbench.trial.training import threads_of


def pace_of(experiment: Experiment, data: Data, engine: Engine, *, report: Report = silent) -> Pace:
    """Measure how long a step and a test take on the experiment's device, with the pictures as they will come.

    The feeds that a run would have are opened for it: a store of pictures that this builds is there for the run.

    Raises:
        ResbenchError: a picture can't be read.
        UsageError: the device can't do what the engine asks for.
    """
    recipe, device = _recipe(experiment), resolve_device(experiment.device)
    engine = replace(engine, precision=experiment.precision)
    with float32_as(engine.precision), deterministic(device), threads_of(engine.threads):
        feeds = open_feeds(data, recipe, engine, device, progress=report)
        model = fresh_model(experiment, data)
        return measure_pace(model, feeds, recipe, engine, seed=experiment.seed, device=device)


def sweep_of(
    experiment: Experiment,
    data: Data,
    *,
    first: float,
    last: float,
    steps: int,
    tell: Callable[[Point], None],
) -> Sweep:
    """Sweep over learning rates, from the weights that training would start from.

    Raises:
        UsageError: the rates do not rise, or are too few.
    """
    few = _batches(experiment, data)
    rates = rates_of(first, last, steps)
    with float32_as(experiment.precision), deterministic(few.device):
        return find_learning_rates(fresh_model(experiment, data), few.recipe, few.training(), rates, tell)


def overfit_of(
    experiment: Experiment, data: Data, *, steps: int, tell: Callable[[int, float, float], bool]
) -> Overfit:
    """Train a network on one batch without augmentation.

    Raises:
        UsageError: the device has not the precision, or it is fp16.
    """
    check_precision(experiment.precision, resolve_device(experiment.device))
    if experiment.precision is Precision.FP16:
        raise UsageError(
            "one batch is learned in fp32, tf32 or bf16; fp16 needs its loss scaled over a whole training"
        )
    few = _batches(experiment, data)
    threshold = threshold_of(data.identity.classes)
    with float32_as(experiment.precision), deterministic(few.device):
        model = fresh_model(experiment, data)
        return overfit(
            model,
            few.recipe,
            few.plain(),
            threshold=threshold,
            steps=steps,
            precision=experiment.precision,
            tell=tell,
        )


def fresh_model(experiment: Experiment, data: Data) -> nn.Module:
    """Return the network on its device, initialised as a training run with this seed initialises it."""
    architecture = find_architecture(experiment.model)
    with stream(experiment.seed, "initialisation"):
        model = build(architecture, classes=data.identity.classes)
        initialise(model, _recipe(experiment).initialisation)
    return model.to(resolve_device(experiment.device))


def _batches(experiment: Experiment, data: Data) -> FewBatches:
    device = resolve_device(experiment.device)
    return FewBatches(data=data, recipe=_recipe(experiment), seed=experiment.seed, device=device)


def _recipe(experiment: Experiment) -> Recipe:
    if experiment.recipe is None:
        raise ValueError("only an experiment that trains has a recipe")
    return experiment.recipe
