"""How a network runs, as far as memory is concerned: batch, bytes of a number, library. No torch."""

from typing import NamedTuple

from resbench.errors import unknown

_SMALL = {"bf16": 2, "fp16": 2}
_FULL = {"fp32": 4, "tf32": 4}


class Setting(NamedTuple):
    """What a pass is run with.

    Attributes:
        batch_size: pictures in one call.
        weight_B: bytes of a number in a parameter and its gradient.
        image_B: in the input.
        activation_B: in what layers hand on.
        casts: whether layers with products work on copies of weights and images, as under autocast.
        blocked: whether convolutions work on copies in a layout of the library's own, see `scratch`.
    """

    batch_size: int
    weight_B: int = 4
    image_B: int = 4
    activation_B: int = 4
    casts: bool = False
    blocked: bool = False


def setting_of(batch_size: int, precision: str, *, whole_model: bool, blocked: bool) -> Setting:
    """Return the setting of a precision.

    Raises:
        UsageError: there is no such precision.
    """
    if precision in _FULL:
        return Setting(batch_size, blocked=blocked)
    if precision not in _SMALL:
        raise unknown("precision", precision, [*_FULL, *_SMALL])
    size = _SMALL[precision]
    if whole_model:
        return Setting(batch_size, size, size, size, blocked=blocked)
    return Setting(batch_size, activation_B=size, casts=True, blocked=blocked)
