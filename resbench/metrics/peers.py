"""What other counters say of the same module: fvcore and ptflops, run as their users run them.

Both count multiply-accumulates and more, whatever they call them; `resbench.metrics.flops.PEER_RULES` says what. A peer
works on its own copy of the model, in float32 on the CPU, batch 1: it leaves hooks and attributes behind, and patches torch.
"""

import contextlib
import copy
import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from resbench.errors import ResbenchError
from resbench.results import Measurement, Statistic, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCount:
    """One counter's number for one picture.

    Attributes:
        macs: what it returned.
        unsupported: operations or modules that it says it counted as nothing, with how often it says so.
    """

    macs: int
    unsupported: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One counter: the name of its method in the results, and how it is run."""

    name: str
    count: Callable[[nn.Module, tuple[int, int, int]], PeerCount]


def measure(peer: Peer, model: nn.Module, input_CHW: tuple[int, int, int]) -> tuple[Measurement, PeerCount]:
    """Return the peer's number as a measurement of `macs`, and what it left out.

    Raises:
        ResbenchError: the peer is not installed, or fails on this model.
    """
    counted = peer.count(model, input_CHW)
    found = Measurement(
        metric="macs", value=counted.macs, unit=Unit.ONE, statistic=Statistic.COMPUTED, method=peer.name
    )
    return found, counted


def count_with_fvcore(model: nn.Module, input_CHW: tuple[int, int, int]) -> PeerCount:
    """Run fvcore's FlopCountAnalysis, which traces the model.

    Raises:
        ResbenchError: fvcore is not installed, or fails on this model.
    """
    with _quiet("fvcore"):
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(_copy(model), torch.randn(1, *input_CHW))
        analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
        analysis.tracer_warnings("none")
        total = int(analysis.total())
        unsupported = analysis.unsupported_ops()
    return PeerCount(macs=total, unsupported=tuple(sorted(unsupported.items())))


def count_with_ptflops_pytorch(model: nn.Module, input_CHW: tuple[int, int, int]) -> PeerCount:
    """Run ptflops with its default backend, which hooks modules and patches functions.

    Raises:
        ResbenchError: ptflops is not installed, or fails on this model.
    """
    return _ptflops(model, input_CHW, "pytorch")


def count_with_ptflops_aten(model: nn.Module, input_CHW: tuple[int, int, int]) -> PeerCount:
    """Run ptflops with the backend that sees each ATen operation.

    Raises:
        ResbenchError: ptflops is not installed, or fails on this model.
    """
    return _ptflops(model, input_CHW, "aten")


PEERS = (
    Peer(name="fvcore", count=count_with_fvcore),
    Peer(name="ptflops-pytorch", count=count_with_ptflops_pytorch),
    Peer(name="ptflops-aten", count=count_with_ptflops_aten),
)


def _ptflops(model: nn.Module, input_CHW: tuple[int, int, int], backend: str) -> PeerCount:
    name = f"ptflops-{backend}"
    with _quiet(name) as printed, _unpatched():
        from ptflops import get_model_complexity_info

        macs, _ = get_model_complexity_info(
            _copy(model),
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
        raise ResbenchError(f"{name} failed: {lines[-1] if lines else 'it gave no reason'}")
    return PeerCount(macs=int(macs), unsupported=_zero_ops(printed.getvalue(), model))


def _zero_ops(printed: str, model: nn.Module) -> tuple[tuple[str, int], ...]:
    """Return what ptflops says it counted as nothing, but for modules whose children it does count."""
    inner = {type(module).__name__ for module in model.modules() if list(module.children())}
    named = re.findall(r"Warning: (?:module )?(\S+) (?:operation )?is treated as a zero-op", printed)
    return tuple(sorted(Counter(name for name in named if name not in inner).items()))


def _copy(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).to("cpu", torch.float32).eval()


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[io.StringIO]:
    """Keep what a peer prints and warns of away from the user, and turn its failures into one line."""
    printed = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            torch.no_grad(),
        ):
            warnings.simplefilter("ignore")
            yield printed
    except ImportError as error:
        raise ResbenchError(f"{name} is not installed or cannot be imported: {error}") from error
    except Exception as error:
        first_line = next(iter(str(error).splitlines()), "")
        raise ResbenchError(f"{name} failed: {type(error).__name__}: {first_line}") from error


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
