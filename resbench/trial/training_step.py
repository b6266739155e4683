"""One training step as it is timed: forward with the loss, backward, optimiser, together or apart."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from resbench.metrics.latency.clocks import Stopwatch

OPTIMIZER = (
    "SGD with momentum 0.9 and learning rate 0, so that every step does the same work on the same numbers"
)


class Parts(NamedTuple):
    """Seconds of the parts of one step; the device is waited for after each, so that they add up to more than a step."""

    forward: float
    backward: float
    optimizer: float


class TrainingStep:
    """Forward with cross entropy against random classes, backward, one step of SGD.

    Args:
        forward: from images to logits, in the precision that is measured; keeps what the backward pass needs.
        module: whose parameters are trained.
        images_BCHW: one batch, random and never zeros, on the device.
        seed: of the classes.
    """

    def __init__(
        self, forward: Callable[[Tensor], Tensor], module: nn.Module, images_BCHW: Tensor, seed: int
    ) -> None:
        self._forward, self._images_BCHW = forward, images_BCHW
        self._loss = nn.CrossEntropyLoss()
        self._optimizer = torch.optim.SGD(module.parameters(), lr=0.0, momentum=0.9)
        self._targets_B = _targets(forward(images_BCHW), images_BCHW, seed)

    def __call__(self) -> None:
        """Take one step."""
        self.backward(self.forward())
        self._optimizer.step()

    def forward(self) -> Tensor:
        """Return the loss. The gradients of the last step are freed before, so that they are not kept beside activations."""
        self._optimizer.zero_grad(set_to_none=True)
        logits_BK = self._forward(self._images_BCHW)
        loss: Tensor = self._loss(logits_BK.float(), self._targets_B)
        return loss

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of the loss."""
        loss.backward()

    def apart(self, stopwatch: Stopwatch) -> Parts:
        """Take one step, and time its parts."""
        losses: list[Tensor] = []
        forward = stopwatch.seconds(lambda: losses.append(self.forward()))
        backward = stopwatch.seconds(lambda: self.backward(losses[0]))
        return Parts(forward, backward, stopwatch.seconds(self._optimizer.step))


def _targets(logits_BK: Tensor, images_BCHW: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(logits_BK.shape[1], (len(images_BCHW),), generator=generator).to(logits_BK.device)
