"""One training step as its engine runs it: autocast, loss scaling, compiled, fused, or recorded once and replayed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.models.precision import autocast, check_precision
from resbench.specs import Engine, Loss, Precision, Recipe
from resbench.training.averaging import Average, average_of
from resbench.training.counting import sums_of
from resbench.training.losses import per_sample
from resbench.training.optimizers import make_optimizer, set_rate
from resbench.training.recording import Recorded
from resbench.training.seeding import derived
from resbench.training.world import World

_FORMATS: Final = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

Calculate = Callable[[Tensor, Tensor, float], Tensor]
"""Trains on images (B, C, H, W) and labels (B,), the loss weighted; returns `sums_of` the batch."""


@dataclass(slots=True)
class TrainingStep:
    """Trains one batch after the other.

    Attributes:
        optimizer: of the network's parameters.
        scaler: of the loss; only fp16 needs one.
        average: of the weights, where the recipe wants one.
    """

    calculate: Calculate
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None
    average: Average | None
    model: nn.Module
    seed: int
    device: torch.device
    memory_format: torch.memory_format
    draws: bool
    _rate: float = field(default=float("nan"))

    def __call__(
        self, images_BCHW: Tensor, labels_B: Tensor, *, rate: float, weight: float, iteration: int
    ) -> Tensor:
        """Train one batch and return its sums, on the device; nothing waits for it."""
        if rate != self._rate:
            set_rate(self.optimizer, rate)
            self._rate = rate
        if self.draws:
            _seed_draws(derived(self.seed, "step", iteration), self.device)
        images_BCHW = images_BCHW.contiguous(memory_format=self.memory_format)
        sums_3 = self.calculate(images_BCHW, labels_B, weight)
        if self.average is not None:
            self.average.update(self.model)
        return sums_3


def training_step(
    model: nn.Module, recipe: Recipe, engine: Engine, *, seed: int, device: torch.device, world: World
) -> TrainingStep:
    """Return the step of a recipe on a network, which is put into the engine's memory format.

    Raises:
        UsageError: the device can't do what the engine asks for.
    """
    check_engine(engine, device)
    memory_format = _FORMATS[format_of(engine, device)]
    model.to(memory_format=memory_format)
    wrapped: nn.Module = world.wrap(model, device, recipe.batch_norm)
    forward: Callable[[Tensor], Tensor] = wrapped
    if engine.compile:
        forward = _compiled(wrapped, len(world.share(range(recipe.train_batch))))
    optimizer = make_optimizer(
        model,
        recipe.optimizer,
        fused=engine.fused or engine.cuda_graph,
        on_device=device if engine.cuda_graph else None,
    )
    scaler = torch.amp.GradScaler(device.type) if engine.precision is Precision.FP16 else None
    calculate: Calculate = _Calculation(forward, optimizer, scaler, recipe.loss, engine.precision, device)
    return TrainingStep(
        calculate=Recorded(calculate) if engine.cuda_graph else calculate,
        optimizer=optimizer,
        scaler=scaler,
        average=average_of(model, recipe.ema) if recipe.ema else None,
        model=model,
        seed=seed,
        device=device,
        memory_format=memory_format,
        draws=any(isinstance(part, nn.modules.dropout._DropoutNd) for part in model.modules()),  # noqa: SLF001
    )


def _compiled(model: nn.Module, size: int) -> Callable[[Tensor], Tensor]:
    """Return the network, compiled for batches of `size`; another, as an epoch's last, runs as it is: compiling takes minutes."""
    compiled: Callable[[Tensor], Tensor] = torch.compile(model, dynamic=False)
    return lambda images_BCHW: compiled(images_BCHW) if len(images_BCHW) == size else model(images_BCHW)


def check_engine(engine: Engine, device: torch.device) -> None:
    """Refuse what the device can't do.

    Raises:
        UsageError: a precision it lacks, or a recorded step on a CPU or over several processes.
    """
    check_precision(engine.precision, device)
    if engine.cuda_graph and device.type != "cuda":
        raise UsageError(f"a CUDA graph needs a CUDA device, found {device}: leave it out")
    if engine.cuda_graph and engine.processes > 1:
        raise UsageError(
            f"a CUDA graph holds the step of one process, found {engine.processes}: leave it out"
        )


def format_of(engine: Engine, device: torch.device) -> str:
    """Return the memory format that a step has on a device: `contiguous` or `channels_last`."""
    if engine.memory_format != "auto":
        return engine.memory_format
    return "channels_last" if device.type == "cpu" else "contiguous"


@dataclass(frozen=True, slots=True)
class _Calculation:
    forward: Callable[[Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None
    loss: Loss
    precision: Precision
    device: torch.device

    def __call__(self, images_BCHW: Tensor, labels_B: Tensor, weight: float) -> Tensor:
        # Before the forward pass, so that old gradients are gone when the activations come.
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.precision, self.device):
            logits_BK = self.forward(images_BCHW)
        losses_B = per_sample(self.loss, logits_BK.float(), labels_B)
        loss = losses_B.mean() if weight == 1 else losses_B.mean() * weight
        if self.scaler is None:
            loss.backward()
            self.optimizer.step()
        else:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return sums_of(losses_B, logits_BK, labels_B)


def _seed_draws(seed: int, device: torch.device) -> None:
    """Let dropout in one step draw the same, whatever was drawn before it."""
    if device.type == "cuda":
        generators: Any = torch.cuda.default_generators
        index = torch.cuda.current_device() if device.index is None else device.index
        generators[index].manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
