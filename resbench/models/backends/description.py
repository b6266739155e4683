"""What a backend is: a way to run a network, told by what it needs, what it can do, and the verb that makes a call of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from resbench.specs import Precision

CONTIGUOUS: Final = "contiguous"
CHANNELS_LAST: Final = "channels_last"
MEMORY_FORMATS: Final = {CONTIGUOUS: torch.contiguous_format, CHANNELS_LAST: torch.channels_last}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOptions:
    """How a network is to be run. Every backend does exactly this, or refuses.

    Attributes:
        precision: what products are computed in.
        whole_model: whether bf16 and fp16 mean all tensors of the model; else what the framework chooses
            (PyTorch: autocast with float32 weights).
        memory_format: `contiguous` (NCHW) or `channels_last` (NHWC).
        threads: how many the backend computes with on the CPU.
        device: where the network lies.
        training: whether the call is the forward pass of a training step; else inference.
    """

    precision: Precision = Precision.FP32
    whole_model: bool = False
    memory_format: str = CONTIGUOUS
    threads: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - immutable
    training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A network that is ready to run.

    Attributes:
        call: logits of a batch that `place` has returned; what is timed. Inference allocates its result anew.
        place: brings float32 pictures (BCHW, on the CPU) to where and how `call` takes them.
        compile_s: seconds that were spent on export, compilation and the first call that they need; 0 for none.
        settings: how the backend was set, for the record; keys begin with its name.
        versions: of the libraries that run it, besides PyTorch.
        notes: what a reader must know to judge its figures, a sentence each.
        module: what a training step takes gradients of; None where there is none.
    """

    call: Callable[[Tensor], Tensor]
    place: Callable[[Tensor], Tensor]
    compile_s: float = 0.0
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    module: nn.Module | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One way to run a network.

    Attributes:
        name: as it is asked for.
        summary: what it is, in one line.
        prepare: makes a network (in evaluation mode) and example pictures of the batch to come ready to run. The
            network may be changed by it; its outputs are for batches of this size.
        needs: packages that must be installed.
        extra: the extra of resbench that installs them.
        devices: types of devices that it runs on.
        precisions: that it computes in.
        memory_formats: that it can be given; a runtime that chooses its own takes only `contiguous`.
        whole_model: whether it tells a whole model of fewer bits from PyTorch's autocast.
        trains: whether a training step can be taken through it.
    """

    name: str
    summary: str
    prepare: Callable[[nn.Module, Tensor, BackendOptions], Prepared]
    needs: tuple[str, ...] = ()
    extra: str = ""
    devices: tuple[str, ...] = ("cpu", "cuda")
    precisions: tuple[Precision, ...] = tuple(Precision)
    memory_formats: tuple[str, ...] = tuple(MEMORY_FORMATS)
    whole_model: bool = True
    trains: bool = False
