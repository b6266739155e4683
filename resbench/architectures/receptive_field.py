"""Which part of the picture each layer's output can see, from windows and strides along the dataflow. No torch.

The rule is that of Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019).
"""

from collections.abc import Sequence
from math import inf, isfinite, isnan, nan, prod
from typing import NamedTuple

from resbench.architectures.layers import IMAGE, Layer, Shape
from resbench.architectures.plan import Kind


class Field(NamedTuple):
    """The rows of the picture that the first row of a layer's output depends on, padding included.

    Columns follow the same rule where windows are square, as all of ours are. Where rows differ in how many they depend
    on, as after transposed convolutions, the field holds those of each.

    Attributes:
        first, last: row numbers; negative where the field begins in the padding; fractions where rows differ.
        jump: how many rows of the picture lie between those of two neighbouring rows: the product of the strides.
    """

    first: float
    last: float
    jump: float

    @property
    def side(self) -> float:
        """Rows of the field; infinite: the whole picture; NaN: it can't be told."""
        return self.last - self.first + 1

    @property
    def is_known(self) -> bool:
        """Whether the field has two ends."""
        return isfinite(self.first) and isfinite(self.last)


WHOLE = Field(-inf, inf, 0)
"""Every row depends on the whole picture, as after global pooling."""
UNKNOWN = Field(nan, nan, 0)
"""It can't be told from windows, as after rows were rearranged."""
NOTHING = Field(inf, -inf, 0)
"""A constant: it depends on no row."""

_WINDOWED = {Kind.CONVOLUTION, Kind.MAX_POOL, Kind.AVERAGE_POOL, Kind.ZERO_PAD}


def fields_of(layers: Sequence[Layer], input_CHW: Shape) -> tuple[Field, ...]:
    """Return the receptive field of each layer's output.

    Of several branches the field spans all. Norms count as if their statistics were constants, as batch norm's are.

    Args:
        layers: all of a network, as their `sources` count them.
        input_CHW: shape of the picture.
    """
    fields: list[Field] = []
    for layer in layers:
        sources = [
            _Source(Field(0, 0, 1), input_CHW) if at == IMAGE else _Source(fields[at], layers[at].output_CHW)
            for at in layer.sources
        ]
        fields.append(_seen(layer, sources))
    return tuple(fields)


class _Source(NamedTuple):
    field: Field
    shape: Shape


def _seen(layer: Layer, sources: Sequence[_Source]) -> Field:
    if layer.adaptive and prod(layer.output_CHW[1:]) == 1:
        return WHOLE
    if layer.kind is Kind.LINEAR and layer.macs == layer.outputs * layer.inputs:
        return WHOLE  # reads its whole input
    joined = _joined([source.field for source in sources])
    if not joined.is_known:
        return joined
    moved = any(source.shape[1:] != layer.input_CHW[1:] for source in sources if source.field.is_known)
    if moved or layer.kind in (Kind.UNKNOWN, Kind.MATMUL):
        return UNKNOWN
    if layer.kind in _WINDOWED:
        return _windowed(layer, joined)
    return joined if layer.input_CHW[1:] == layer.output_CHW[1:] else UNKNOWN


def _joined(fields: Sequence[Field]) -> Field:
    """Return the field that spans all of them."""
    if WHOLE in fields:
        return WHOLE
    if (
        any(isnan(field.side) for field in fields)
        or len({field.jump for field in fields if field.is_known}) > 1
    ):
        return UNKNOWN
    first = min((field.first for field in fields), default=inf)
    last = max((field.last for field in fields), default=-inf)
    return Field(first, last, max((field.jump for field in fields), default=0))


def _windowed(layer: Layer, field: Field) -> Field:
    """Return the field of a convolution, pool or padding: output row i reads from row i x stride - padding on."""
    first, last, jump = field
    rows_in, rows_out = layer.input_CHW[1], layer.output_CHW[1]
    if layer.adaptive:
        stride = rows_in / rows_out
        # Windows that are not all of one size begin and end up to one row away from even steps.
        spare = 0 if rows_in % rows_out == 0 else 1 - 1 / rows_out
        return Field(first - spare * jump, last + (stride - 1 + spare) * jump, stride * jump)
    if layer.kind is Kind.CONVOLUTION and layer.stride > 1 and rows_out > rows_in:
        # Transposed: a row reads from where its kernel lies on rows that are `stride` apart.
        first += (layer.padding - (layer.kernel - 1) * layer.dilation) * jump / layer.stride
        return Field(first, last + layer.padding * jump / layer.stride, jump / layer.stride)
    start = first - layer.padding * jump
    return Field(
        start, last + ((layer.kernel - 1) * layer.dilation - layer.padding) * jump, jump * layer.stride
    )
