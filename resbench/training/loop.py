"""The training loop: every epoch trains, tests and is saved; what it does depends on the recipe and the seed alone."""

import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from resbench.datasets.data import Data
from resbench.errors import ResbenchError, Stopped
from resbench.results import Epoch, Pass
from resbench.specs import Optimizer, Recipe
from resbench.training import checkpoint
from resbench.training.evaluation import Tally, count_batch
from resbench.training.losses import per_sample
from resbench.training.schedule import learning_rate
from resbench.training.seeding import order
from resbench.training.views import EvaluationView, Resized, TrainingView, pixel_mean, spread
from resbench.training.watching import Step, Watch

_LOOK_S = 0.25
"""How often a watcher is told where the run stands: reading the loss waits for the device."""

Batch = tuple[Tensor, Tensor]


@dataclass(slots=True, kw_only=True)
class Run:
    """One training run under way.

    Attributes:
        model: on its device, initialised; trained in place.
        workers: processes that prepare pictures; the result does not depend on them.
        folder: where its checkpoints lie.
    """

    model: nn.Module
    data: Data
    recipe: Recipe
    seed: int
    device: torch.device
    workers: int
    folder: Path
    watch: Watch


def train(run: Run) -> tuple[tuple[Epoch, ...], float]:
    """Train from the last checkpoint (or the start) to the end of the recipe.

    Returns:
        Every epoch, and the wall time in seconds over all sessions that worked on the run.

    Raises:
        Stopped: the watcher asked for it; the epochs finished so far are saved.
        ResbenchError: the loss is no longer finite.
    """
    samples = _prepare(run)
    optimizer = make_optimizer(run.model, run.recipe.optimizer)
    epochs, spent_s = _resume(run, optimizer)
    total = epochs_of(run.recipe, len(samples.train))
    for number in range(len(epochs) + 1, total + 1):
        began = time.perf_counter()
        epochs = (*epochs, _epoch(run, samples, optimizer, number, total))
        spent_s += time.perf_counter() - began
        state = checkpoint.State(
            epochs=epochs, weights=run.model.state_dict(), optimizer=optimizer.state_dict(), seconds=spent_s
        )
        checkpoint.save(run.folder, state)
        run.watch.epoch(epochs[-1], total)
    return epochs, spent_s


def epochs_of(recipe: Recipe, samples: int) -> int:
    """Return how many epochs the recipe has on so many training samples (the last may be cut short)."""
    if recipe.schedule.unit == "epoch":
        return recipe.schedule.length
    return math.ceil(recipe.schedule.length / steps_of(recipe, samples))


def steps_of(recipe: Recipe, samples: int) -> int:
    """Return the batches of an epoch; the last one may be smaller."""
    return math.ceil(samples / recipe.train_batch)


def make_optimizer(model: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    """Return the recipe's optimiser over every parameter.

    Raises:
        ResbenchError: no such optimiser.
    """
    if spec.name == "adam":
        return torch.optim.Adam(model.parameters(), lr=spec.lr, weight_decay=spec.weight_decay)
    if spec.name == "sgd":
        return torch.optim.SGD(
            model.parameters(), lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay
        )
    raise ResbenchError(f"unknown optimizer '{spec.name}': choose from adam, sgd")


@dataclass(frozen=True, slots=True)
class _Samples:
    train: Resized
    test: Resized
    mean: Tensor | None


def _prepare(run: Run) -> _Samples:
    pictures, recipe = run.recipe.pictures, run.recipe
    train = Resized(run.data.train, spread(len(run.data.train), recipe.train_limit), pictures)
    test = Resized(run.data.test, spread(len(run.data.test), recipe.test_limit), pictures)
    return _Samples(train, test, None if pictures.mean else pixel_mean(train))


def _resume(run: Run, optimizer: torch.optim.Optimizer) -> tuple[tuple[Epoch, ...], float]:
    state = checkpoint.load(run.folder)
    if state is None:
        return (), 0.0
    run.model.load_state_dict(state.weights)
    optimizer.load_state_dict(state.optimizer)
    run.watch.resumed(state.epochs[-1].number)
    return state.epochs, state.seconds


def _epoch(run: Run, samples: _Samples, optimizer: torch.optim.Optimizer, number: int, total: int) -> Epoch:
    steps = steps_of(run.recipe, len(samples.train))
    done = (number - 1) * steps
    if run.recipe.schedule.unit == "iteration":
        steps = min(steps, run.recipe.schedule.length - done)
    trained = _train(run, samples, optimizer, _Place(number, total, steps), done)
    rate: float = optimizer.param_groups[0]["lr"]
    tested = _test(run, samples, number, total)
    return Epoch(number=number, learning_rate=rate, train=trained, test=tested)


@dataclass(frozen=True, slots=True)
class _Place:
    epoch: int
    epochs: int
    steps: int


def _train(run: Run, samples: _Samples, optimizer: torch.optim.Optimizer, place: _Place, done: int) -> Pass:
    run.model.train()
    view = TrainingView(samples.train, run.recipe.pictures, samples.mean, seed=run.seed, epoch=place.epoch)
    visits = order(len(samples.train), run.seed, place.epoch)
    tally, reporter = Tally(), _Reporter(run.watch, "train", place)
    batches = _batches(run, view, visits, run.recipe.train_batch)
    for index, (images_BCHW, labels_B) in enumerate(islice(batches, place.steps)):
        rate = learning_rate(
            run.recipe.optimizer, run.recipe.schedule, epoch=place.epoch, iteration=done + index
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        logits_BK = run.model(images_BCHW)
        losses_B = per_sample(run.recipe.loss, logits_BK, labels_B)
        optimizer.zero_grad(set_to_none=True)
        losses_B.mean().backward()
        optimizer.step()
        tally.add(losses_B, logits_BK, labels_B)
        reporter.look(tally, index + 1)
    found = tally.finish()
    if not math.isfinite(found.loss):
        raise ResbenchError(f"training diverged in epoch {place.epoch}: the loss is {found.loss}")
    return found


def _test(run: Run, samples: _Samples, number: int, total: int) -> Pass:
    run.model.eval()
    view = EvaluationView(samples.test, run.recipe.pictures, samples.mean)
    batch = run.recipe.test_batch
    reporter = _Reporter(run.watch, "test", _Place(number, total, math.ceil(len(view) / batch)))
    tally = Tally()
    for index, (images_BVCHW, labels_B) in enumerate(_batches(run, view, range(len(view)), batch)):
        count_batch(run.model, run.recipe.loss, tally, images_BVCHW, labels_B)
        reporter.look(tally, index + 1)
    return tally.finish()


def _batches(
    run: Run, view: Dataset[tuple[Tensor, int]], visits: Sequence[int], size: int
) -> Iterator[Batch]:
    loader = DataLoader(
        view,
        batch_sampler=[list(visits[start : start + size]) for start in range(0, len(visits), size)],
        num_workers=run.workers,
        worker_init_fn=_ignore_interrupts,
        pin_memory=run.device.type == "cuda",
    )
    try:
        for images, labels in loader:
            yield images.to(run.device, non_blocking=True), labels.to(run.device, non_blocking=True)
    except ResbenchError as error:
        # A worker's error arrives with its whole traceback as the message; the last line is what it said.
        said = str(error).strip().splitlines()[-1]
        raise type(error)(said.removeprefix(f"{type(error).__module__}.{type(error).__name__}: ")) from error


def _ignore_interrupts(_worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the one that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Reporter:
    """Tells the watcher where a phase stands, now and then, and stops the run when it is asked to."""

    def __init__(self, watch: Watch, phase: str, place: _Place) -> None:
        self._watch, self._phase, self._place = watch, phase, place
        self._looked_at, self._looked_done = time.perf_counter(), 0

    def look(self, tally: Tally, done: int) -> None:
        if self._watch.stopping():
            raise Stopped(f"stopped in epoch {self._place.epoch} of {self._place.epochs}")
        now = time.perf_counter()
        if now - self._looked_at < _LOOK_S and done < self._place.steps:
            return
        loss, top1 = tally.latest(done - self._looked_done)
        self._looked_at, self._looked_done = now, done
        self._watch.step(
            Step(
                phase=self._phase,
                epoch=self._place.epoch,
                epochs=self._place.epochs,
                done=done,
                total=self._place.steps,
                samples=tally.samples,
                seconds=now - tally.started,
                loss=loss,
                top1=top1,
            )
        )
