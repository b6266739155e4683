"""How a recipe is run: what may change the speed, and the last bits of a result, and nothing that a recipe states."""

from dataclasses import dataclass
from typing import Literal

from resbench.specs.experiment import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The settings of one training run that are no part of its recipe; kept with the result, and shown.

    Attributes:
        precision: of the forward pass; weights and their updates are float32 always.
        memory_format: how four-dimensional tensors lie in memory; `auto`: channels_last where it was measured to be faster,
            on a CPU, else contiguous (docs/adr/0013-how-training-runs-by-default.md).
        compile: the network goes through torch.compile, for batches of the recipe's size; a smaller last one does not.
        fused: one kernel updates all parameters.
        cuda_graph: on a GPU, a whole step is recorded once and replayed.
        feed: how pictures come: `resident` (all on the device), `store` (a memory-mapped file), `loader` (read and
            decoded each time), or `auto`.
        workers: processes that prepare pictures; no result depends on them.
        threads: of PyTorch; None: as many as it takes.
        allocator: `system`, or `keep` (freed memory stays with the process).
        processes: over which each batch is split; the recipe's batch is the whole one.
        checkpoint_s: seconds between checkpoints, beside the one at the end of each epoch.
    """

    precision: Precision = Precision.FP32
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    compile: bool = False
    fused: bool = True
    cuda_graph: bool = False
    feed: Literal["auto", "resident", "store", "loader"] = "auto"
    workers: int = 0
    threads: int | None = None
    allocator: Literal["system", "keep"] = "system"
    processes: int = 1
    checkpoint_s: float = 600.0
