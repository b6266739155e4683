"""The operations of one forward pass for one picture, in closed form from the layers. No torch.

The core count is multiply-accumulates (MACs) of convolutions and linear layers, without bias. Every other convention
is a stated rule over the same layers, so that a difference between two published figures is a difference of rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resbench.architectures.layers import Kind, Layer
from resbench.errors import unknown
from resbench.results import Measurement, Statistic, Unit

Layers = Sequence[Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One way of counting.

    Attributes:
        name: as in `Suite.flops_convention` and the reports.
        metric: what its number is: `macs`, where a multiply-accumulate is one, or `flops`, where it is two.
        rule: the rule in words.
        count: the rule.
    """

    name: str
    metric: str
    rule: str
    count: Callable[[Layers], int]


def core_macs(layers: Layers) -> int:
    """Return the multiply-accumulates of convolutions and linear layers, without bias."""
    return sum(layer.macs for layer in layers)


def outputs_of(layers: Layers, kind: Kind) -> int:
    """Return how many elements come out of all layers of one kind."""
    return sum(layer.outputs for layer in layers if layer.kind is kind)


def biased_outputs(layers: Layers, kind: Kind) -> int:
    """Return how many elements come out of the layers of one kind that have a bias: one addition each."""
    return sum(layer.outputs for layer in layers if layer.kind is kind and layer.bias)


def inputs_of(layers: Layers, kind: Kind) -> int:
    """Return how many elements go into all layers of one kind."""
    return sum(layer.inputs for layer in layers if layer.kind is kind)


def _voc_table(layers: Layers) -> int:
    # thop 0.0.31 charges a global average pool h * w additions and one division a channel.
    pooled = inputs_of(layers, Kind.AVERAGE_POOL) + outputs_of(layers, Kind.AVERAGE_POOL)
    biases = biased_outputs(layers, Kind.CONVOLUTION)
    return 2 * (core_macs(layers) + biases + 2 * outputs_of(layers, Kind.BATCH_NORM) + pooled)


def _fvcore(layers: Layers) -> int:
    normalised = 2 * outputs_of(layers, Kind.BATCH_NORM)
    return core_macs(layers) + normalised + inputs_of(layers, Kind.AVERAGE_POOL)


def _ptflops_pytorch(layers: Layers) -> int:
    biases = biased_outputs(layers, Kind.CONVOLUTION) + biased_outputs(layers, Kind.LINEAR)
    pools = inputs_of(layers, Kind.MAX_POOL) + inputs_of(layers, Kind.AVERAGE_POOL)
    # Its hook on the module and its patch of the function that the module calls both count.
    twice = 2 * (outputs_of(layers, Kind.RELU) + pools)
    return core_macs(layers) + biases + 2 * outputs_of(layers, Kind.BATCH_NORM) + twice


def _ptflops_aten(layers: Layers) -> int:
    return core_macs(layers) + biased_outputs(layers, Kind.CONVOLUTION) + biased_outputs(layers, Kind.LINEAR)


CORE = Convention(
    name="core-macs",
    metric="macs",
    rule="multiply-accumulates of convolutions and linear layers for one image, no bias",
    count=core_macs,
)
TWICE_CORE = Convention(
    name="2 x core",
    metric="flops",
    rule="core, multiplication and addition counted apart",
    count=lambda layers: 2 * core_macs(layers),
)
VOC_TABLE = Convention(
    name="voc-table",
    metric="flops",
    rule="2 x (core + convolution biases + 2 x batch-norm elements + average pool)",
    count=_voc_table,
)
CONVENTIONS = (CORE, TWICE_CORE, VOC_TABLE)
"""How resbench counts. The VOC table's is thop 0.0.31's count, doubled (deep-learning-algorithm/ResNet f185d1d)."""

PEER_RULES = (
    Convention(
        name="fvcore",
        metric="macs",
        rule="core + 2 x batch-norm elements + elements into the average pool",
        count=_fvcore,
    ),
    Convention(
        name="ptflops-pytorch",
        metric="macs",
        rule="core + biases + 2 x batch-norm elements + 2 x (ReLU elements + elements into pools)",
        count=_ptflops_pytorch,
    ),
    Convention(name="ptflops-aten", metric="macs", rule="core + biases", count=_ptflops_aten),
)
"""What other counters count, as rules that predict their number to the unit; their residual is checked in tests."""


def find_convention(name: str) -> Convention:
    """Return the convention called `name`, ours or a peer's rule.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    conventions = {convention.name: convention for convention in (*CONVENTIONS, *PEER_RULES)}
    if name not in conventions:
        raise unknown("FLOP convention", name, conventions)
    return conventions[name]


def flops(layers: Layers, convention: str) -> int:
    """Return the count of one forward pass of one picture by the convention called `convention`.

    Raises:
        UsageError: there is no such convention.
    """
    return find_convention(convention).count(layers)


def measure(layers: Layers) -> tuple[Measurement, ...]:
    """Return `macs` ("core") and `flops` ("2 x core", "voc-table") of one picture."""
    methods = {CORE: "core", TWICE_CORE: TWICE_CORE.name, VOC_TABLE: VOC_TABLE.name}
    return tuple(
        Measurement(
            metric=convention.metric,
            value=convention.count(layers),
            unit=Unit.ONE,
            statistic=Statistic.COMPUTED,
            method=method,
        )
        for convention, method in methods.items()
    )
