"""ptflops: the default backend, which hooks modules and patches functions, and the one that sees each ATen operation."""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from resbench.errors import ResbenchError
from resbench.metrics.flops.peers.running import Peer, PeerCount, Shape, attributed, counted


def _pytorch(model: nn.Module, input_CHW: Shape) -> PeerCount:
    inner = _with_children(model)
    hooked: Counter[str] = Counter()

    def note_hooked(root: nn.Module, *_arguments: Any) -> None:
        for name, part in _hooked(root, ""):
            hooked[name] += part

    with _unpatched(), attributed(model, _Functions().total) as by_function:
        model.register_forward_hook(note_hooked)
        value, printed = _run("pytorch", model, input_CHW)
    return counted(value, hooked + by_function, _zero_ops(printed, inner))


def _aten(model: nn.Module, input_CHW: Shape) -> PeerCount:
    inner = _with_children(model)

    def total() -> int:
        mode: Any = _get_current_dispatch_mode()
        return sum(mode.flop_counts["Global"].values())

    with attributed(model, total) as by_module:
        value, printed = _run("aten", model, input_CHW)
    return counted(value, by_module, _zero_ops(printed, inner))


PEERS = (
    Peer(name="ptflops-pytorch", package="ptflops", run=_pytorch),
    Peer(name="ptflops-aten", package="ptflops", run=_aten),
)


class _Functions:
    """Reads the lists to which ptflops's patches of functions and of tensor operations append."""

    def __init__(self) -> None:
        self.seen = [0, 0]
        self.sum = 0

    def total(self) -> int:
        patches: tuple[Any, Any] = (nn.functional.relu, torch.matmul)
        for at, patch in enumerate(patches):
            for each in islice(patch.collector, self.seen[at], None):
                self.sum += int(each)
            self.seen[at] = len(patch.collector)
        return self.sum


def _hooked(module: nn.Module, path: str) -> Iterator[tuple[str, int]]:
    """Return what the hooks on modules have counted; of those inside a module that it has a rule for, it takes nothing."""
    found: Any = getattr(module, "__flops__", None)
    if found is not None:
        yield path, int(found)
        return
    for name, child in module.named_children():
        yield from _hooked(child, f"{path}.{name}" if path else name)


def _run(backend: str, model: nn.Module, input_CHW: Shape) -> tuple[int, str]:
    """Return the count and what was printed."""
    from ptflops import get_model_complexity_info

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        macs, _ = get_model_complexity_info(
            model,
            input_CHW,
            print_per_layer_stat=False,
            as_strings=False,
            verbose=True,
            backend=backend,
            ost=printed,
        )
    if macs is None:
        # It prints what went wrong instead of raising it.
        lines = [line.strip() for line in printed.getvalue().splitlines() if line.strip()]
        reason = lines[-1] if lines else "it gave no reason"
        raise ResbenchError(f"ptflops-{backend} failed: {reason}")
    return int(macs), printed.getvalue()


def _with_children(model: nn.Module) -> set[str]:
    return {type(module).__name__ for module in model.modules() if list(module.children())}


def _zero_ops(printed: str, inner: set[str]) -> tuple[tuple[str, int], ...]:
    """Return what ptflops says it counted as nothing, but for modules whose children it does count."""
    named = re.findall(r"Warning: (?:module )?(\S+) (?:operation )?is treated as a zero-op", printed)
    return tuple(sorted(Counter(name for name in named if name not in inner).items()))


@contextlib.contextmanager
def _unpatched() -> Iterator[None]:
    """Put back the functions that ptflops wraps; it does not where it is interrupted."""
    try:
        yield
    finally:
        for owner in (torch, torch.Tensor, nn.functional):
            for attribute, value in list(vars(owner).items()):
                if getattr(value, "__module__", None) == "ptflops.pytorch_engine":
                    setattr(owner, attribute, value.op)
