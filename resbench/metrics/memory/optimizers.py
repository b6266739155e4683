"""What an optimiser keeps for each parameter from step to step, and what it needs during one. No torch."""

from typing import Final, NamedTuple

from resbench.errors import unknown

STEP_B: Final = 4
"""One float32 for each tensor."""


class Optimizer(NamedTuple):
    """An optimiser's memory.

    Attributes:
        name: as `resbench` calls it.
        title: in words.
        copies: numbers it keeps for each parameter.
        temporaries: numbers it needs for each of the parameter that it is at, while it is there.
        counts_steps: whether it keeps, for each tensor, how many steps it has taken.
    """

    name: str
    title: str
    copies: int
    temporaries: int
    counts_steps: bool = False


OPTIMIZERS: Final = (
    Optimizer("sgd", "SGD with momentum", copies=1, temporaries=0),
    Optimizer("adam", "Adam", copies=2, temporaries=2, counts_steps=True),
)
"""One parameter after the other, as PyTorch does on the CPU."""


def find_optimizer(name: str) -> Optimizer:
    """Return an optimiser.

    Raises:
        UsageError: there is none of that name.
    """
    for optimizer in OPTIMIZERS:
        if optimizer.name == name:
            return optimizer
    raise unknown("optimizer", name, [optimizer.name for optimizer in OPTIMIZERS])
