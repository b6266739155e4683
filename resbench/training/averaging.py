"""An exponential moving average of a network's weights, kept beside the network while it trains.

After update t the average is `decay` x the average before + (1 - `decay`) x the weights; the first update copies the
weights, so that nothing of the random start stays in it. That is the rule of `torch.optim.swa_utils`, which is the
reference of the tests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

Buffers = Literal["copied", "averaged"]
"""What becomes of batch-norm's running statistics: the network's latest ones, or their average, as the weights'."""

_UPDATES: Final = "updates"


@dataclass(slots=True)
class Average:
    """The average of a network's parameters; its tensors lie where the network's do.

    Attributes:
        decay: how much of the average each update keeps.
        buffers: `averaged` (floating-point buffers as the parameters; counters copied) or `copied` (all of them).
        tensors: the average, by the names of the state dict.
        averaged: which of them are averaged; the others are copied.
        updates: how many steps went into it.
    """

    decay: float
    buffers: Buffers
    tensors: dict[str, Tensor]
    averaged: frozenset[str]
    updates: int = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights as they are now; in place, a few kernels for all of them, without waiting for any."""
        found = named_tensors(model)
        averaged = [name for name in found if self.updates and name in self.averaged]
        copied = [name for name in found if not self.updates or name not in self.averaged]
        if averaged:
            kept = [self.tensors[name] for name in averaged]
            torch._foreach_lerp_(kept, [found[name] for name in averaged], 1 - self.decay)
        if copied:
            torch._foreach_copy_([self.tensors[name] for name in copied], [found[name] for name in copied])
        self.updates += 1

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Let the network have the average inside the block, and its own weights again after it.

        The numbers are exchanged, not the tensors: compiled code and CUDA graphs go on using the same memory.
        """
        self._exchange(model)
        try:
            yield
        finally:
            self._exchange(model)

    @torch.no_grad()
    def _exchange(self, model: nn.Module) -> None:
        if not self.updates:
            return  # nothing was averaged yet: the network's own weights are all there is
        for name, theirs in named_tensors(model).items():
            before = theirs.clone()
            theirs.copy_(self.tensors[name])
            self.tensors[name].copy_(before)

    def state(self) -> dict[str, Tensor]:
        """Return all that a checkpoint has to hold: tensors only, so that a safetensors file takes it."""
        return {**self.tensors, _UPDATES: torch.tensor(self.updates)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, of an average of the same network."""
        for name, tensor in self.tensors.items():
            tensor.copy_(state[name])
        self.updates = int(state[_UPDATES])


def average_of(model: nn.Module, decay: float, *, buffers: Buffers = "averaged") -> Average:
    """Return an average of `model` that has seen no step yet.

    Args:
        model: on the device where it trains.
        decay: between 0 (the latest weights) and 1, exclusive.
        buffers: see `Average`.
    """
    if not 0 <= decay < 1:
        raise ValueError(f"the decay of an average lies between 0 and 1, not at {decay!r}")
    held = model.state_dict(keep_vars=True)
    averaged = {
        name
        for name, tensor in held.items()
        if tensor.is_floating_point() and (buffers == "averaged" or isinstance(tensor, nn.Parameter))
    }
    tensors = {name: tensor.detach().clone() for name, tensor in held.items()}
    return Average(decay=decay, buffers=buffers, tensors=tensors, averaged=frozenset(averaged))


def named_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by name, detached, sharing the network's memory."""
    return {name: tensor.detach() for name, tensor in model.state_dict(keep_vars=True).items()}
