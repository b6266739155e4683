"""What is known of one tensor of a running network."""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from resbench.architectures.layers import Shape

Sources = tuple[int, ...]


class Value:
    """A tensor and where it comes from. It keeps the tensor, so that its `id` names no other.

    Attributes:
        sources: positions of the layers that made it; `IMAGE` for the picture.
        parameters: `id` of the parameters that it is, or is a view or copy of.
        live: whether it depends on the picture.
        zeros: whether it is a constant 0.
        stride, whole: how it was subsampled in height, and the shape before that; 1 and None: it was not.
        family: itself and all that share its memory, where there are others.
    """

    __slots__ = ("family", "live", "parameters", "sources", "stride", "tensor", "whole", "zeros")

    def __init__(self, tensor: Tensor, sources: Sources = (), live: bool = False) -> None:
        self.tensor = tensor
        self.sources = sources
        self.live = live
        self.parameters: tuple[int, ...] = ()
        self.zeros = False
        self.stride = 1
        self.whole: Shape | None = None
        self.family: list[Value] | None = None


def tell_family(changed: Value) -> None:
    """Tell all that share a tensor's memory that it was overwritten: they come from where it comes from, too."""
    assert changed.family is not None
    start, end = _span(changed.tensor)
    for other in changed.family:
        first, last = _span(other.tensor)
        if other is changed or last <= start or first >= end:
            continue
        other.zeros = False
        other.live = other.live or changed.live
        covered = other.tensor.numel() <= changed.tensor.numel()
        kept = () if covered else other.sources
        other.sources = tuple(dict.fromkeys((*kept, *changed.sources)))


def _span(tensor: Tensor) -> tuple[int, int]:
    """Return the first element of the memory that a tensor has, and the one past its last."""
    start = int(tensor.storage_offset())
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return start, start + reach + 1
