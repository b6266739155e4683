"""Concatenation, and zeros put around or beside a tensor."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from resbench.architectures.plan import Kind
from resbench.models.operators.movement import is_zero, moved
from resbench.models.operators.running import Args, Kwargs, Watch, argument, operator, ran, word
from resbench.models.tracing import Window
from resbench.models.values import Value


def concatenate(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `cat` or `stack`; a tensor and channels of zeros are a zero padding."""
    trace = watch.trace
    read = [trace.value(tensor) for tensor in args[0] if tensor.numel()]
    along = argument(args, kwargs, 1, "dim", 0)
    out = _joined([value.tensor for value in read], along) if word(func) != "stack" else None
    if out is None:
        out = ran(watch, func, args, kwargs)
    contents = [value for value in read if not value.zeros]
    if len(read) > len(contents) == 1 and along in (1, 1 - out.ndim):
        (kept,) = contents
        at = read.index(kept)
        before, after = (_channels(some) for some in (read[:at], read[at + 1 :]))
        _padded(watch, operator(func), (kept, out), (before, after))
    else:
        trace.note(Kind.CONCATENATE, "concatenate", operator(func), read, out, input_shape=out.shape)
    return out


def _channels(values: Sequence[Value]) -> int:
    return sum(value.tensor.shape[1] for value in values)


def _joined(tensors: Sequence[Tensor], along: int) -> Tensor | None:
    """Return an empty concatenation of plain tensors that fit; None of others."""
    if not tensors:
        return None
    first = tensors[0]
    along %= first.ndim
    shape, total = list(first.shape), 0
    for tensor in tensors:
        sides = list(tensor.shape)
        total += sides[along] if len(sides) == len(shape) else 0
        shape[along : along + 1] = sides[along : along + 1]
        plain = tensor.is_meta and tensor.dtype is first.dtype and tensor.is_contiguous()
        if sides != shape or not plain:
            return None
    shape[along] = total
    return torch.empty(shape, dtype=first.dtype, device="meta")


def pad(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `pad(input, pads, mode, value)`, pads from the last dimension on, or `constant_pad_nd(input, pads, value)`."""
    source, pads = args[0], list(args[1])
    general = word(func) == "pad"
    mode = argument(args, kwargs, 2, "mode", "constant") if general else "constant"
    value = argument(args, kwargs, 3 if general else 2, "value") or 0
    if mode != "constant" or not is_zero(value) or max(pads, default=0) <= 0:
        return moved(watch, func, args, kwargs)
    out = ran(watch, func, args, kwargs)
    pads += [0] * (2 * source.ndim - len(pads))
    channels = 2 * (source.ndim - 2)
    padded = (max(pads[channels], 0), max(pads[channels + 1], 0)) if source.ndim > 2 else (0, 0)
    top = max(pads[2 if source.ndim > 3 else 0], 0)
    _padded(watch, operator(func), (watch.trace.value(source), out), padded, top)
    return out


def _padded(
    watch: Watch, name: str, sides: tuple[Value, Tensor], channels: tuple[int, int], top: int = 0
) -> None:
    value, out = sides
    watch.trace.note(
        Kind.ZERO_PAD,
        "pad",
        name,
        (value,),
        out,
        window=Window(stride=value.stride, padding=top),
        padded=channels,
        input_shape=value.whole or value.tensor.shape,
    )
