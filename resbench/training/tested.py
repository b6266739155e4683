"""What of a network is tested: its average and anew-taken statistics where the recipe says so; training sees none of it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from resbench.models.precision import autocast
from resbench.training.averaging import Average
from resbench.training.precise_bn import recompute
from resbench.training.run import Run
from resbench.training.seeding import derived, order


@contextmanager
def as_tested(run: Run, average: Average | None, epoch: int) -> Iterator[None]:
    """Let the network be, inside the block, what the recipe tests after an epoch; after it, it trains on as it was."""
    run.world.level(run.model)
    with nullcontext() if average is None else average.applied(run.model), _precise(run, epoch):
        run.model.eval()
        yield


@contextmanager
def _precise(run: Run, epoch: int) -> Iterator[None]:
    if not run.recipe.precise_bn:
        yield
        return
    kept = {name: buffer.clone() for name, buffer in run.model.named_buffers()}
    visits = order(len(run.feeds.train), derived(run.seed, "precise_bn"), epoch)
    size = run.recipe.train_batch
    batches = [visits[start : start + size] for start in range(0, len(visits), size)]
    views = run.feeds.train.training_batches(batches[: run.recipe.precise_bn], seed=run.seed, epoch=epoch)
    with autocast(run.engine.precision, run.device):
        recompute(run.model, (images_BCHW for images_BCHW, _ in views))
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in run.model.named_buffers():
                buffer.copy_(kept[name])
