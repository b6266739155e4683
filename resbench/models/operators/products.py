"""Matrix products: linear layers where one side is made of weights alone, attention and the like where none is."""

from typing import Any

import torch
from torch import Tensor

from resbench.architectures.plan import Kind
from resbench.models.operators.running import Args, Kwargs, Watch, argument, operator, ran


def _note(watch: Watch, func: Any, sides: tuple[Tensor, Tensor], out: Tensor, bias: Tensor | None) -> None:
    trace = watch.trace
    left, right = sides
    read = [trace.value(left), trace.value(right)]
    both = read[0].live and read[1].live
    if not read[0].live:
        read.reverse()
    trace.note(
        Kind.MATMUL if both else Kind.LINEAR,
        "matmul" if both else "linear",
        operator(func),
        read,
        out,
        bias=None if bias is None else trace.value(bias),
        macs=out.numel() * left.shape[-1],
    )


def linear(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `linear(input, weight, bias)`."""
    tensor, weight = args[:2]
    shape = tensor.shape
    plain = tensor.is_meta and tensor.dtype is weight.dtype and tensor.is_contiguous()
    if plain and weight.ndim == 2 and shape[-1:] == weight.shape[1:]:
        out = torch.empty((*shape[:-1], weight.shape[0]), dtype=tensor.dtype, device="meta")
    else:
        out = ran(watch, func, args, kwargs)
    _note(watch, func, (tensor, weight), out, argument(args, kwargs, 2, "bias"))
    return out


def product(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `matmul(left, right)` and the like."""
    out = ran(watch, func, args, kwargs)
    _note(watch, func, args[:2], out, None)
    return out


def product_added(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `addmm(bias, left, right)` and the like."""
    out = ran(watch, func, args, kwargs)
    _note(watch, func, args[1:3], out, args[0])
    return out


def attention(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run attention; note what it is made of: query x key, scale, mask, softmax, x value."""
    trace, name = watch.trace, operator(func)
    query, key, value = args[:3]
    out = _attended(watch, func, args, kwargs)
    scores = torch.empty((*query.shape[:-1], key.shape[-2]), dtype=query.dtype, device="meta")
    read = (trace.value(query), trace.value(key))
    macs = scores.numel() * query.shape[-1]
    known = trace.note(Kind.MATMUL, "matmul", name, read, scores, macs=macs)
    known = trace.note(Kind.SCALE, "scale", name, (known,), scores)
    mask = argument(args, kwargs, 3, "attn_mask")
    if mask is not None:
        known = trace.note(Kind.ELEMENTWISE, "mask", name, (known, trace.value(mask)), scores)
    known = trace.note(Kind.SOFTMAX, "softmax", name, (known,), scores)
    macs = scores.numel() * value.shape[-1]
    trace.note(Kind.MATMUL, "matmul", name, (known, trace.value(value)), out, macs=macs)
    return out


def _attended(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Tensor:
    query, _, value = args[:3]
    if query.is_meta and query.ndim == 4 and query.shape[-1] == value.shape[-1]:
        # As the fast kernels leave it: heads beside each other in memory.
        batch, heads, places, channels = query.shape
        empty = torch.empty((batch, places, heads, channels), dtype=query.dtype, device="meta")
        return empty.transpose(1, 2)
    out: Tensor = ran(watch, func, args, kwargs)
    return out
