"""The layers of whatever a model name stands for: in closed form for ours, observed for others.

torch is imported for others alone.
"""

from typing import NamedTuple

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, Shape, layers_of
from resbench.architectures.naming import find_architecture, parse_model


class Layered(NamedTuple):
    """A network as its layers, for one picture.

    Attributes:
        name: in one spelling.
        input_CHW: shape of the picture.
        output_shape: of what the network returns; of several outputs, the first's.
        parameters: distinct numbers in all parameters.
        architecture: its description where it is one of ours; else None.
        notes: what a reader must know of how the layers were found.
    """

    name: str
    layers: tuple[Layer, ...]
    input_CHW: tuple[int, int, int]
    output_shape: Shape
    parameters: int
    architecture: Architecture | None
    notes: tuple[str, ...] = ()


def layered(name: str, input_CHW: tuple[int, int, int] | None = None, classes: int | None = None) -> Layered:
    """Return the layers of a network.

    Args:
        name: of a model, ours or not.
        input_CHW: shape of the picture; default: the network's own.
        classes: outputs of the head; default: the network's own.

    Raises:
        UsageError: there is no such network, it can't be made so, or the input does not suit it.
        ResbenchError: a network from outside failed when it ran.
    """
    if parse_model(name).is_outside:
        return _observed(name, input_CHW, classes)
    architecture = find_architecture(name)
    layers = layers_of(architecture, input_CHW, classes)
    parameters = sum(layer.parameters for layer in layers)
    picture = architecture.input_CHW if input_CHW is None else input_CHW
    return Layered(architecture.name, layers, picture, layers[-1].output_CHW, parameters, architecture)


def _observed(name: str, input_CHW: tuple[int, int, int] | None, classes: int | None) -> Layered:
    import torch

    from resbench.models.observing import observe
    from resbench.models.outside import open_model, other_peoples_code

    with torch.device("meta"):
        opened = open_model(name, classes=classes)
    picture = opened.input_CHW if input_CHW is None else input_CHW
    with other_peoples_code():
        seen = observe(opened.module, picture, fall_back=True)
    return Layered(
        opened.name, seen.layers, picture, seen.output_shape, seen.parameters, None, tuple(seen.notes)
    )
