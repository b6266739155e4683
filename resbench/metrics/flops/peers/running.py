"""How a peer is run: on its own copy of the model, quietly, with what it does outside of that copy undone."""

import contextlib
import copy
import importlib.metadata
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.flops.conventions import find_convention
from resbench.models.copying import borrowed
from resbench.results import Measurement, Statistic, Unit

Shape = tuple[int, ...]

_HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCount:
    """One counter's number for one picture.

    Attributes:
        value: what it returned: MACs or FLOPs, as its convention says.
        by_module: the part of it for what each module does itself, without its submodules, by dotted path; no zeros.
        unsupported: operations or modules that it says it counted as nothing, with how often it says so.
    """

    value: int
    by_module: Mapping[str, int] = field(default_factory=dict)
    unsupported: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One counter.

    Attributes:
        name: of its convention, and of its method in the results.
        package: what pip calls it.
        run: counts a model that it may change, for an input without the batch.
    """

    name: str
    package: str
    run: Callable[[nn.Module, Shape], PeerCount]

    @property
    def version(self) -> str | None:
        """What is installed; None: nothing."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def count(self, model: nn.Module, input_CHW: Shape) -> PeerCount:
        """Return the peer's number for one picture.

        Raises:
            ResbenchError: the peer is not installed, or fails on this model.
        """
        with _quiet(self.name), torch.random.fork_rng(devices=[]):
            return self.run(_own(model), input_CHW)


def measure(peer: Peer, model: nn.Module, input_CHW: Shape) -> tuple[Measurement, PeerCount]:
    """Return the peer's number as a measurement, and what else it said.

    Raises:
        ResbenchError: the peer is not installed, or fails on this model.
    """
    counted = peer.count(model, input_CHW)
    found = Measurement(
        metric=find_convention(peer.name).metric,
        value=counted.value,
        unit=Unit.ONE,
        statistic=Statistic.COMPUTED,
        method=peer.name,
    )
    return found, counted


def picture(input_CHW: Shape) -> Tensor:
    """Return a batch of one random picture."""
    return torch.randn(1, *input_CHW)


def _own(model: nn.Module) -> nn.Module:
    """Return the peer's own modules; the weights, which none changes, are the caller's where those can be used."""
    held = (*model.parameters(), *model.buffers())
    if all(each.device.type == "cpu" for each in held) and not any(each.dtype in _HALF for each in held):
        weights: dict[int, Any] = {id(each): each for each in model.parameters()}
        return copy.deepcopy(model, weights).eval()
    with borrowed(model, "cpu") as lent:
        return lent.float().eval()


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep what a peer prints and warns of away from the user, and turn its failures into one line."""
    printed = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            torch.inference_mode(mode=False),
            torch.enable_grad(),
        ):
            warnings.simplefilter("ignore")
            yield
    except (ResbenchError, UsageError):
        raise
    except ImportError as error:
        raise ResbenchError(f"{name} is not installed or cannot be imported: {error}") from error
    except Exception as error:
        first_line = next(iter(str(error).splitlines()), "")
        raise ResbenchError(f"{name} failed: {type(error).__name__}: {first_line}") from error


@contextlib.contextmanager
def attributed(model: nn.Module, read: Callable[[], int]) -> Iterator[Counter[str]]:
    """Give what a counter that only has a running total adds to it in each module, the modules inside it apart.

    Args:
        model: a peer's own copy; hooks are left on it.
        read: returns the total so far.
    """
    found: Counter[str] = Counter()
    inside, last = [""], [0]

    def settle() -> None:
        now = read()
        found[inside[-1]] += now - last[0]
        last[0] = now

    def enter(name: str) -> Callable[..., None]:
        def hook(*_arguments: Any) -> None:
            settle()
            inside.append(name)

        return hook

    def leave(*_arguments: Any) -> None:
        settle()
        inside.pop()

    for name, module in model.named_modules():
        module.register_forward_pre_hook(enter(name))
        module.register_forward_hook(leave)
    yield found


def counted(
    value: float, by_module: Mapping[str, int], unsupported: tuple[tuple[str, int], ...] = ()
) -> PeerCount:
    """Return a count whose parts add up: what is in no module's part is the whole network's own."""
    parts = {name: part for name, part in by_module.items() if part}
    rest = int(value) - sum(parts.values())
    if rest:
        parts[""] = parts.get("", 0) + rest
    return PeerCount(value=int(value), by_module=parts, unsupported=unsupported)
