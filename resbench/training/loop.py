"""The training loop, step by step: what it does depends on the recipe and the seed alone, wherever it was interrupted."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from resbench.errors import Stopped
from resbench.models.precision import autocast
from resbench.results import Ending, Epoch, Pass
from resbench.training import checkpoint
from resbench.training.counting import Count, Counted, sums_of
from resbench.training.evaluation import mean_logits
from resbench.training.feeds import Feed
from resbench.training.lengths import epochs_of, steps_in
from resbench.training.losses import per_sample
from resbench.training.optimizers import restore
from resbench.training.reporting import Place, Reporter
from resbench.training.run import Run
from resbench.training.schedule import learning_rate
from resbench.training.seeding import order
from resbench.training.step import TrainingStep, training_step
from resbench.training.tested import as_tested

Batches = Sequence[Sequence[int]]


class Trained(NamedTuple):
    """How a run ended.

    Attributes:
        epochs: those that finished.
        seconds: wall time over all sessions that worked on the run.
        diverged_at: the step, from 1, whose loss was the first that was no number or exploded.
    """

    epochs: tuple[Epoch, ...]
    seconds: float
    diverged_at: int | None = None

    @property
    def ending(self) -> Ending:
        """Whether it came to the end of its recipe."""
        return Ending.FINISHED if self.diverged_at is None else Ending.DIVERGED


def train(run: Run) -> Trained:
    """Train from the last checkpoint (or the start) to the end of the recipe, or to where the loss breaks.

    Raises:
        Stopped: the watcher asked for it; the steps done so far are saved.
        UsageError: the device can't do what the engine asks for.
    """
    journey = steps(run)
    while True:
        try:
            next(journey)
        except StopIteration as end:
            trained: Trained = end.value
            return trained


def steps(run: Run) -> Generator[None, None, Trained]:
    """Do as `train`, with a pause after each batch, so that several runs can take turns on one device."""
    step = training_step(run.model, run.recipe, run.engine, seed=run.seed, device=run.device, world=run.world)
    run.world.check(len(run.feeds.train), run.recipe.train_batch)
    state = _resumed(run, step)
    total = epochs_of(run.recipe, len(run.feeds.train))
    try:
        while len(state.epochs) < total:
            place = Place(len(state.epochs) + 1, total)
            count = yield from _train(run, step, state, place)
            if count is None:
                return Trained(state.epochs, state.seconds, state.diverged_at)
            yield from _finish(run, step, state, place, count)
    except Stopped:
        _save(run, step, state)
        raise
    return Trained(state.epochs, state.seconds)


@dataclass(slots=True)
class _State:
    """Where a run stands: the epochs that finished, and the training batches of the one under way."""

    epochs: tuple[Epoch, ...]
    before: Counted | None
    spent_s: float
    began: float
    saved: float
    step: int
    count: Count | None = None
    diverged_at: int | None = None

    @property
    def seconds(self) -> float:
        return self.spent_s + time.perf_counter() - self.began


def _resumed(run: Run, step: TrainingStep) -> _State:
    saved, now = checkpoint.load(run.folder), time.perf_counter()
    if saved is None:
        return _State((), None, 0.0, now, now, 0)
    run.model.load_state_dict(saved.weights)
    restore(step.optimizer, saved.optimizer)
    if step.scaler is not None and saved.scaler:
        step.scaler.load_state_dict(saved.scaler)
    if step.average is not None and saved.average:
        step.average.restore(saved.average)
    run.watch.resumed(len(saved.epochs))
    return _State(saved.epochs, saved.counted, saved.seconds, now, now, saved.step)


def _save(run: Run, step: TrainingStep, state: _State) -> None:
    """Write a checkpoint, unless nothing was done yet or the loss broke: a run goes on from good weights alone."""
    state.saved = time.perf_counter()
    counted = None if state.count is None else state.count.counted(run.world)
    broke = state.count is not None and state.count.first_bad() is not None
    if broke or not run.world.lead or not state.step:
        return
    checkpoint.save(
        run.folder,
        checkpoint.State(
            step=state.step,
            epochs=state.epochs,
            counted=counted,
            weights=run.model.state_dict(),
            optimizer=step.optimizer.state_dict(),
            scaler={} if step.scaler is None else step.scaler.state_dict(),
            average={} if step.average is None else step.average.state(),
            seconds=state.seconds,
        ),
    )


def _train(run: Run, step: TrainingStep, state: _State, place: Place) -> Generator[None, None, Count | None]:
    """Train one epoch, or what is left of it; None where the loss broke."""
    batches = _batches(run, place.epoch)
    sizes = [len(batch) for batch in batches]
    state.count = count = Count(sizes, run.device, state.before, lead=run.world.lead)
    state.before = None
    reporter = Reporter(run.watch, run.world, "train", place, len(batches))
    shares = [run.world.share(batch) for batch in batches[count.done :]]
    run.model.train()
    recipe, weigh = run.recipe, run.world.loss_weight
    views = run.feeds.train.training_batches(shares, seed=run.seed, epoch=place.epoch) if shares else ()
    for images_BCHW, labels_B in views:
        rate = learning_rate(recipe.optimizer, recipe.schedule, epoch=place.epoch, iteration=state.step)
        weight = weigh(len(labels_B), sizes[count.done])
        count.add(step(images_BCHW, labels_B, rate=rate, weight=weight, iteration=state.step))
        state.step += 1
        if reporter.look(count) and _broke(run, state):
            return None
        if reporter.due(count, state.saved, run.engine.checkpoint_s):
            _save(run, step, state)
        yield
    return None if _broke(run, state) else count


def _broke(run: Run, state: _State) -> bool:
    """Look for the first step whose loss is no number or exploded (waits for the device)."""
    bad = None if state.count is None else state.count.first_bad()
    if run.world.agree(bad is not None) and state.count is not None:
        first = state.count.done - 1 if bad is None else bad
        state.diverged_at = state.step - state.count.done + first + 1
    return state.diverged_at is not None


def _batches(run: Run, epoch: int) -> Batches:
    size = run.recipe.train_batch
    visits = order(len(run.feeds.train), run.seed, epoch)
    last = steps_in(run.recipe, len(visits), epoch)
    return [visits[start : start + size] for start in range(0, len(visits), size)][:last]


def _finish(
    run: Run, step: TrainingStep, state: _State, place: Place, count: Count
) -> Generator[None, None, None]:
    """Test after an epoch, save, and tell of it."""
    trained = count.finish(run.world)
    # The rate as a function of the step: the optimiser's own may be a tensor on the device.
    rate = learning_rate(
        run.recipe.optimizer, run.recipe.schedule, epoch=place.epoch, iteration=state.step - 1
    )
    validation = test = None
    if run.feeds.validation is not None:
        validation = yield from _test(run, step, run.feeds.validation, "validation", place)
    if run.recipe.testing == "every_epoch" or place.epoch == place.epochs:
        test = yield from _test(run, step, run.feeds.test, "test", place)
    epoch = Epoch(number=place.epoch, learning_rate=rate, train=trained, test=test, validation=validation)
    state.epochs, state.count = (*state.epochs, epoch), None
    _save(run, step, state)
    run.watch.epoch(epoch, place.epochs)


def _test(run: Run, step: TrainingStep, feed: Feed, phase: str, place: Place) -> Generator[None, None, Pass]:
    size = run.recipe.test_batch
    batches = [range(start, min(start + size, len(feed))) for start in range(0, len(feed), size)]
    count = Count([len(batch) for batch in batches], run.device)
    reporter = Reporter(run.watch, run.world, phase, place, len(batches))
    ours = run.world.turns(len(batches))
    with as_tested(run, step.average, place.epoch):
        found = feed.test_batches([batches[turn] for turn in ours])
        for turn in range(len(batches)):
            if turn in ours:
                images_BVCHW, labels_B = next(found)
                count.add(_tested(run, images_BVCHW, labels_B))
            else:
                count.skip()
            reporter.look(count)
            yield
    return count.finish(run.world)


def _tested(run: Run, images_BVCHW: Tensor, labels_B: Tensor) -> Tensor:
    with autocast(run.engine.precision, run.device):
        logits_BK = mean_logits(run.model, images_BVCHW)
    return sums_of(per_sample(run.recipe.loss, logits_BK, labels_B), logits_BK, labels_B)
