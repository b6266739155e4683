"""The traits of a whole network: depth, width, stem, what follows the last addition, head. No torch."""

from collections.abc import Callable, Mapping

from resbench.architectures.auditing.anatomy import Anatomy
from resbench.architectures.auditing.units import POOLS, Tokens
from resbench.architectures.auditing.words import bias, listed, pool, row, weighted_layers, window, word
from resbench.architectures.plan import Kind

AS_IN_UNITS = "as in every unit"


def _depth(anatomy: Anatomy) -> str:
    return f"{anatomy.depth} layers"


def _units(anatomy: Anatomy) -> str:
    """Return how many units each stage has."""
    stages = [unit.stage for unit in anatomy.units]
    return " + ".join(str(stages.count(stage)) for stage in sorted(set(stages))) or "none"


def _width(anatomy: Anatomy) -> str:
    widths = {unit.stage: unit.channels for unit in anatomy.units}
    return listed(map(str, widths.values())) or "none"


def _stem(anatomy: Anatomy) -> str:
    return listed(
        f"{window(layer)} / {layer.stride}, {layer.output_CHW[0]} channels"
        + ("" if layer.input_CHW[0] == 3 else f" from {layer.input_CHW[0]}")
        for layer in weighted_layers(anatomy.stem)
    )


def _stem_bias(anatomy: Anatomy) -> str:
    return bias(anatomy.stem)


def _stem_pool(anatomy: Anatomy) -> str:
    return _pools(anatomy.stem)


def _stem_order(anatomy: Anatomy) -> str:
    return row(token for token in anatomy.stem if token.kind not in POOLS)


def _last(anatomy: Anatomy) -> str:
    return row(anatomy.last) if anatomy.preactivated else AS_IN_UNITS


def _pooling(anatomy: Anatomy) -> str:
    return _pools(anatomy.head)


def _pools(tokens: Tokens) -> str:
    return ", ".join(pool(token.layer) for token in tokens if token.kind in POOLS) or "none"


def _head(anatomy: Anatomy) -> str:
    """The last linear layer gives the classes, whatever their number."""
    tokens = [token for token in anatomy.head if token.kind not in (*POOLS, Kind.DROPOUT)]
    linear = [token for token in tokens if token.kind is Kind.LINEAR]
    told = []
    for token in tokens:
        if token.kind is Kind.LINEAR:
            to = "the classes" if token is linear[-1] else token.layer.output_CHW[-1]
            told.append(f"linear to {to}" + ("" if token.layer.biases else " without bias"))
        else:
            told.append(word(token))
    return ", ".join(told) or "none"


def _head_dropout(anatomy: Anatomy) -> str:
    found = sum(token.kind is Kind.DROPOUT for token in anatomy.head)
    return str(found) if found else "none"


WHOLE_TRAITS: Mapping[str, Callable[[Anatomy], str]] = {
    "depth": _depth,
    "units": _units,
    "width": _width,
    "stem": _stem,
    "stem bias": _stem_bias,
    "stem order": _stem_order,
    "stem pool": _stem_pool,
    "after the last addition": _last,
    "pooling": _pooling,
    "head": _head,
    "dropout in the head": _head_dropout,
}
