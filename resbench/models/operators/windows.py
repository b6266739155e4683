"""Convolutions and pools."""

from math import prod
from typing import Any

import torch
from torch import Tensor

from resbench.architectures.plan import Kind
from resbench.models.operators.elementwise import elementwise, unknown
from resbench.models.operators.movement import composed
from resbench.models.operators.running import Args, Kwargs, Rule, Watch, argument, first, operator, ran
from resbench.models.tracing import Window

_DEFAULTS = (None, None, None, (1,), (0,), (1,), 1)
_looked_into = composed(unknown)


def _in_height(sizes: Any, default: int = 1) -> int:
    """Return the size in height of one for each of width, height and width, or depth, height and width."""
    if isinstance(sizes, int):
        return sizes
    if not sizes:
        return default
    return int(sizes[-2] if len(sizes) > 1 else sizes[0])


def convolution(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `conv1d`, `conv2d` or `conv3d` of (input, weight, bias, stride, padding, dilation, groups)."""
    tensor, weight, bias, strides, pads, dilations, groups = _given(args)
    if kwargs or isinstance(pads, str) or tensor.ndim != weight.ndim:
        return _looked_into(watch, func, args, kwargs)
    out = _empty_output(tensor, weight, (strides, pads, dilations), groups)
    if out is None:
        out = ran(watch, func, args, kwargs)
    window = _window(weight, strides, pads, dilations, groups)
    _note(watch, (tensor, weight, bias), out, window, out.numel())
    return out


def _given(args: Args) -> Args:
    return (*args, *_DEFAULTS[len(args) :])


def general_convolution(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run (input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)."""
    out = ran(watch, func, args, kwargs)
    tensor, weight, bias, strides, pads, dilations, transposed, _, groups = args[:9]
    window = _window(weight, strides, pads, dilations, groups)
    # Each element that goes into a transposed convolution meets every tap of its kernels.
    sites = tensor.numel() if transposed else out.numel()
    _note(watch, (tensor, weight, bias), out, window, sites)
    return out


def _window(weight: Tensor, strides: Any, pads: Any, dilations: Any, groups: int) -> Window:
    kernel = _in_height(weight.shape[2:])
    return Window(kernel, _in_height(strides), _in_height(pads, 0), groups, _in_height(dilations))


def _note(
    watch: Watch, read: tuple[Tensor, Tensor, Tensor | None], out: Tensor, window: Window, sites: int
) -> None:
    tensor, weight, bias = read
    value = watch.trace.value
    watch.trace.note(
        Kind.CONVOLUTION,
        "convolution",
        "aten.convolution",
        (value(tensor), value(weight)),
        out,
        bias=None if bias is None else value(bias),
        macs=sites * prod(weight.shape[1:]),
        window=window,
    )


def _empty_output(
    tensor: Tensor, weight: Tensor, sliding: tuple[Any, Any, Any], groups: int
) -> Tensor | None:
    """Return an empty output for plain memory in two dimensions; None for others, or what PyTorch may refuse."""
    shape, kernel = tensor.shape, weight.shape
    strides, pads, dilations = sliding
    plain = tensor.is_meta and len(shape) == 4 and tensor.dtype is weight.dtype and tensor.is_contiguous()
    if not plain or shape[1] != kernel[1] * groups or kernel[0] % groups:
        return None
    height = (shape[2] + 2 * pads[0] - dilations[0] * (kernel[2] - 1) - 1) // strides[0] + 1
    width = (shape[3] + 2 * pads[-1] - dilations[-1] * (kernel[3] - 1) - 1) // strides[-1] + 1
    if height < 1 or width < 1:
        return None
    return torch.empty((shape[0], kernel[0], height, width), dtype=tensor.dtype, device="meta")


def pool(kind: Kind) -> Rule:
    """Return the rule for a pool of (input, kernel, stride, padding, dilation or more)."""
    word = "maxpool" if kind is Kind.MAX_POOL else "avgpool"

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        out = ran(watch, func, args, kwargs)
        kernel = _in_height(args[1])
        window = Window(
            kernel,
            _in_height(argument(args, kwargs, 2, "stride", ()), kernel),
            _in_height(argument(args, kwargs, 3, "padding", 0), 0),
            dilation=_in_height(argument(args, kwargs, 4, "dilation", 1)) if kind is Kind.MAX_POOL else 1,
        )
        value = watch.trace.value(args[0])
        watch.trace.note(kind, word, operator(func), (value,), first(out), window=window)
        return out

    return rule


def adaptive_pool(kind: Kind) -> Rule:
    """Return the rule for a pool that is told the size of its output."""
    word = "maxpool" if kind is Kind.MAX_POOL else "avgpool"

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        out = ran(watch, func, args, kwargs)
        value = watch.trace.value(args[0])
        watch.trace.note(kind, word, operator(func), (value,), first(out), adaptive=True)
        return out

    return rule


_global_average = adaptive_pool(Kind.AVERAGE_POOL)


def mean(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run a mean; over all places of a map it is global average pooling."""
    tensor, axes = args[0], argument(args, kwargs, 1, "dim")
    if tensor.ndim > 3 and isinstance(axes, list | tuple):
        averaged = sorted(axis % tensor.ndim for axis in axes)
        if averaged == list(range(2, tensor.ndim)):
            return _global_average(watch, func, args, kwargs)
    return elementwise(watch, func, args, kwargs)
