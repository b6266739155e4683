"""Where the time of a forward pass goes: what ran, handed to the layers that it belongs to. No torch.

All that runs inside a module without children is that module's layer; what runs in between, as an addition, is matched by
what it does. What belongs to no layer, as a view, is listed on its own, so that nothing disappears.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple, TypeVar

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind

T = TypeVar("T")


class Operation(NamedTuple):
    """One operator that ran, and was called by no other.

    Attributes:
        path: dotted path of the innermost module that was being called; "" for the network itself.
        call: how many times that module had been called before, in this pass.
        leaf: whether that module has no children.
        name: of the operator, as "aten.add".
        seconds: what it took, with all that it called: its own time on a CPU, that of its kernels on a GPU.
    """

    path: str
    call: int
    leaf: bool
    name: str
    seconds: float


class Pass(NamedTuple):
    """One forward pass, as it was seen. `seconds`: from its begin to its end."""

    operations: tuple[Operation, ...]
    seconds: float


class LayerTime(NamedTuple):
    """What a layer takes.

    Attributes:
        layer: its position among the network's.
        seconds: the mean over the passes that count; None where nothing ran that could be its.
    """

    layer: int
    seconds: float | None


class Times(NamedTuple):
    """Where the time goes. All are means over the quicker half of the passes: another program disturbs the others more.

    Means add up, so that layers can be held against the whole; medians of skewed times do not.

    Attributes:
        layers: of each layer, in order.
        others: of what belongs to no layer, by name.
        whole_s: of a whole pass when nobody looks.
        watched_s: of a whole pass while it is watched.
        n: how many passes were watched, and as many not.
        method: how it was measured.
    """

    layers: tuple[LayerTime, ...]
    others: Mapping[str, float]
    whole_s: float
    watched_s: float
    n: int
    method: str = ""

    @property
    def sum_s(self) -> float:
        """Of all layers."""
        return sum(time.seconds or 0.0 for time in self.layers)

    @property
    def coverage(self) -> float:
        """The layers' sum as a share of the whole that nobody looked at."""
        return self.sum_s / self.whole_s


_KINDS: Mapping[Kind, frozenset[str]] = {
    Kind.CONVOLUTION: frozenset(("conv1d", "conv2d", "conv3d", "convolution", "_convolution")),
    Kind.LINEAR: frozenset(("linear", "addmm", "mm", "matmul")),
    Kind.BATCH_NORM: frozenset(("batch_norm",)),
    Kind.RELU: frozenset(("relu", "clamp_min")),
    Kind.SIGMOID: frozenset(("sigmoid",)),
    Kind.MAX_POOL: frozenset(("max_pool2d", "max_pool1d", "max_pool3d", "adaptive_max_pool2d")),
    Kind.AVERAGE_POOL: frozenset(("avg_pool2d", "adaptive_avg_pool2d", "mean")),
    Kind.ADD: frozenset(("add",)),
    Kind.SUBTRACT: frozenset(("sub", "rsub")),
    Kind.MULTIPLY: frozenset(("mul",)),
    Kind.SCALE: frozenset(("mul", "div")),
    Kind.CONCATENATE: frozenset(("cat", "concat", "concatenate", "stack")),
    Kind.ZERO_PAD: frozenset(("pad", "constant_pad_nd", "cat")),
    Kind.MATMUL: frozenset(("matmul", "bmm", "mm", "scaled_dot_product_attention")),
    Kind.SOFTMAX: frozenset(("softmax", "scaled_dot_product_attention")),
}
"""The operators by which a layer that is no module may be done, without "aten."."""


def times_of(
    passes: Sequence[Pass], whole_s: Sequence[float], layers: Sequence[Layer], method: str = ""
) -> Times:
    """Return what each layer takes.

    Args:
        passes: forward passes that were watched.
        whole_s: seconds of forward passes that were not.
        layers: the network's, in order, as described or as observed.
        method: how the passes were watched.
    """
    counted = quicker_half(passes, key=lambda seen: seen.seconds)
    of_layer: dict[int, float] = defaultdict(float)
    of_others: dict[str, float] = defaultdict(float)
    for seen in counted:
        placed, others = assign(seen.operations, layers)
        for at, seconds in placed.items():
            of_layer[at] += seconds / len(counted)
        for name, seconds in others.items():
            of_others[name] += seconds / len(counted)
    return Times(
        tuple(LayerTime(at, of_layer.get(at)) for at in range(len(layers))),
        dict(of_others),
        fmean(quicker_half(whole_s, key=float)),
        fmean(seen.seconds for seen in counted),
        len(passes),
        method,
    )


def quicker_half(observed: Sequence[T], key: Callable[[T], float]) -> list[T]:
    """Return the half with the least times; of an odd number the larger half."""
    return sorted(observed, key=key)[: (len(observed) + 1) // 2]


def assign(
    operations: Iterable[Operation], layers: Sequence[Layer]
) -> tuple[dict[int, float], dict[str, float]]:
    """Return the seconds of each layer of one pass, by position, and those of what belongs to none, by name."""
    ran: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        ran[operation.path].append(operation)
    waiting: dict[str, list[int]] = defaultdict(list)
    for at, layer in enumerate(layers):
        # A layer is named after its module; one that is done by a function, after the module that calls it.
        waiting[layer.name if layer.name in ran else layer.name.rpartition(".")[0]].append(at)
    placed: dict[int, float] = defaultdict(float)
    others: dict[str, float] = defaultdict(float)
    for path, done in ran.items():
        mine = waiting.get(path, [])
        calls = 1 + max(operation.call for operation in done)
        if done[0].leaf and len(mine) == calls:
            for operation in done:
                placed[mine[operation.call]] += operation.seconds
        else:
            _match(path, done, [(at, layers[at]) for at in mine], placed, others)
    return dict(placed), dict(others)


def _match(
    path: str,
    done: Iterable[Operation],
    mine: list[tuple[int, Layer]],
    placed: dict[int, float],
    others: dict[str, float],
) -> None:
    """Give each operator to the first layer that it can have done, and that has none yet."""
    for operation in done:
        found = next((at for at, layer in mine if at not in placed and _does(operation, layer)), None)
        if found is None:
            name = operation.name.removeprefix("aten.")
            others[f"{path}.{name}" if path else name] += operation.seconds
        else:
            placed[found] += operation.seconds


def _does(operation: Operation, layer: Layer) -> bool:
    name = operation.name.removeprefix("aten.").rstrip("_")
    return operation.name == layer.operator or name in _KINDS.get(layer.kind, ())
