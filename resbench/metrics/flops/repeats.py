"""The ledger of a described network from one of each run of equal units, since they cost the same. No torch."""

from dataclasses import replace

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.residual import ResidualBody
from resbench.metrics.flops.ledger import Ledger, ledger_of


def ledger_for(
    architecture: Architecture, input_CHW: tuple[int, int, int] | None = None, classes: int | None = None
) -> Ledger:
    """Return the ledger of `layers_of` the same; a residual network's takes as long whatever its depth.

    Raises:
        UsageError: as `layers_of`.
    """
    return ledger_of(*distinct_layers(architecture, input_CHW, classes))


def distinct_layers(
    architecture: Architecture, input_CHW: tuple[int, int, int] | None = None, classes: int | None = None
) -> tuple[tuple[Layer, ...], tuple[int, ...]]:
    """Return layers in order, and how many of the network each one stands for.

    Raises:
        UsageError: as `layers_of`.
    """
    body = architecture.body
    if not isinstance(body, ResidualBody):
        layers = layers_of(architecture, input_CHW, classes)
        return layers, (1,) * len(layers)
    # The first unit of a stage may change the size; the second is as all that follow.
    stages = tuple(replace(stage, blocks=min(stage.blocks, 2)) for stage in body.stages)
    layers = layers_of(replace(architecture, body=replace(body, stages=stages)), input_CHW, classes)
    repeats = {f"layer{number}.1": stage.blocks - 1 for number, stage in enumerate(body.stages, start=1)}
    return layers, tuple([repeats.get(layer.name[:8], 1) for layer in layers])
