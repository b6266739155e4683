"""Colour jitter of batches of pictures, in the arithmetic of PIL, in place and on any device.

Pictures are float32 tensors that hold whole grey levels, 0 to 255. Brightness, contrast and saturation truncate to whole
levels as PIL does and give PIL's levels. The hue is turned in PIL's 8-bit steps, but the saturation stays a fraction: nearly
all pixels are within one level of PIL's, and where a float32 quotient falls on the edge between two steps of hue, about one
in a thousand, within the seven levels that a step can be.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

_GREY: Final = (19595.0, 38470.0, 7471.0)
"""Weights of red, green and blue in PIL's grey, in 1/65536; every sum of theirs is exact in float32."""


def jitter_(levels_BCHW: Tensor, order_B4: Tensor, factors_B4: Tensor) -> None:
    """Jitter each picture by its own factors, in its own order (see `resbench.training.draws.Draws`)."""
    if len(levels_BCHW) == 1:
        for part in order_B4[0].tolist():
            _PARTS[part](levels_BCHW, factors_B4[:, part])
        return
    for place in range(4):
        for part, change_ in enumerate(_PARTS):
            rows = (order_B4[:, place] == part).nonzero().flatten()
            if len(rows):
                at = rows.to(levels_BCHW.device)
                changed = levels_BCHW[at]
                change_(changed, factors_B4[rows, part])
                levels_BCHW[at] = changed


def brightness_(levels_BCHW: Tensor, factor_B: Tensor) -> None:
    """Multiply by a factor."""
    levels_BCHW.mul_(_spread(factor_B, levels_BCHW)).clamp_(0, 255).floor_()


def contrast_(levels_BCHW: Tensor, factor_B: Tensor) -> None:
    """Blend with the picture's mean grey, itself a whole level."""
    sums_B = grey(levels_BCHW).sum(dim=(1, 2, 3), dtype=torch.float64)
    pixels = levels_BCHW.shape[2] * levels_BCHW.shape[3]
    mean_B = (sums_B / pixels + 0.5).floor().float()
    _blend_(levels_BCHW, mean_B[:, None, None, None], factor_B)


def saturation_(levels_BCHW: Tensor, factor_B: Tensor) -> None:
    """Blend with each pixel's grey."""
    _blend_(levels_BCHW, grey(levels_BCHW), factor_B)


def grey(levels_BCHW: Tensor) -> Tensor:
    """Return PIL's grey of each pixel, whole levels, (B, 1, H, W)."""
    red, green, blue = levels_BCHW.split(1, dim=1)
    summed: Tensor = (red * _GREY[0]).add_(green, alpha=_GREY[1]).add_(blue, alpha=_GREY[2]).add_(32768.0)
    return summed.mul_(1 / 65536).floor_()


def hue_(levels_BCHW: Tensor, turns_B: Tensor) -> None:
    """Turn the hue by so many turns, -0.5 to 0.5.

    With the hue H in sixths of a turn, red is V - C (1 - t(H - 3)), green V - C t(H - 2) and blue V - C t(H - 4), where V is
    the greatest of the three, C what lies between it and the least, and t(x) = |x| - 1, cut to 0 to 1.
    """
    red, green, blue = levels_BCHW.split(1, dim=1)
    high, low = torch.maximum(green, blue), torch.minimum(green, blue)
    greatest = torch.maximum(red, high)
    chroma = greatest - torch.minimum(red, low)
    sixths = _turned(_sixths(levels_BCHW, high, low, chroma), _spread(turns_B, levels_BCHW))
    levels_BCHW.copy_(sixths)
    for plane, centre in ((red, 3), (green, 2), (blue, 4)):
        plane.sub_(centre).abs_().sub_(1).clamp_(0, 1)
    red.neg_().add_(1)
    # Half a level is rounded up, as C's round does.
    levels_BCHW.mul_(chroma.neg_()).add_(greatest.add_(0.5)).floor_()


def _sixths(levels_BCHW: Tensor, high: Tensor, low: Tensor, chroma: Tensor) -> Tensor:
    """Return the hue in sixths of a turn, from 0 to 6; 0 for greys. `high` and `low` are of green and blue, and overwritten."""
    red, green, blue = levels_BCHW.split(1, dim=1)
    less_green, less_red = green < blue, red < high
    # The least of three less the middle one, over the chroma, is how far the hue is from its primary.
    middle = torch.minimum(red, high)
    apart = middle.sub_(low).div_(chroma.clamp(min=1))
    start = torch.where(less_red, torch.where(less_green, 4.0, -2.0), torch.where(less_green, -6.0, 0.0))
    return start.add_(apart).abs_()


def _turned(sixths: Tensor, turns: Tensor) -> Tensor:
    """Return the hue turned, in 8-bit steps: 255 steps are a turn, and yet the steps wrap at 256, in PIL."""
    shift = (turns * 255).trunc_().remainder_(256)
    steps = sixths.mul_(255 / 6).floor_().add_(shift)
    return steps.sub_((steps * (1 / 256)).floor_(), alpha=256).mul_(6 / 255)


def _blend_(levels_BCHW: Tensor, other: Tensor, factor_B: Tensor) -> None:
    levels_BCHW.sub_(other).mul_(_spread(factor_B, levels_BCHW)).add_(other).clamp_(0, 255).floor_()


def _spread(factor_B: Tensor, levels_BCHW: Tensor) -> Tensor:
    return factor_B.to(levels_BCHW.device, torch.float32)[:, None, None, None]


_PARTS: Final[tuple[Callable[[Tensor, Tensor], None], ...]] = (brightness_, contrast_, saturation_, hue_)
