"""Operators that compute nothing: views, copies, constants, and those that PyTorch composes of others. No layers."""

from typing import Any

import torch
from torch import Tensor

from resbench.models.operators.running import (
    Args,
    Kwargs,
    Rule,
    Watch,
    argument,
    inputs,
    ran,
    refusal,
    tensors,
    word,
)


def view(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run what gives the memory of its first input in another shape."""
    out = ran(watch, func, args, kwargs)
    source = next(tensors(args), None)
    if source is not None:
        for seen in tensors((out,)):
            watch.trace.view(source, seen)
    return out


def slicing(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `slice(input, dim, start, end, step)`; a step in height or width is how option A subsamples."""
    out = view(watch, func, args, kwargs)
    source, axis, step = args[0], argument(args, kwargs, 1, "dim", 0), argument(args, kwargs, 4, "step", 1)
    if step > 1 and source.ndim > 2 and axis % source.ndim > 1:
        value = watch.trace.value(out)
        value.whole = value.whole or tuple(source.shape)
        value.stride = step
    return out


def composed(otherwise: Rule) -> Rule:
    """Return the rule for what PyTorch composes of other operators: those are watched."""

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        with watch:
            out = func.decompose(*args, **kwargs)
        return otherwise(watch, func, args, kwargs) if out is NotImplemented else out

    return rule


def factory(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run what makes a tensor of nothing: `arange`, `zeros`."""
    if watch.meta and "device" in kwargs:
        kwargs = {**kwargs, "device": "meta"}
    out = func(*args, **kwargs)
    name = word(func)
    if isinstance(out, Tensor) and (name == "zeros" or (name == "full" and is_zero(args[1]))):
        watch.trace.set(out, (), live=False).zeros = True
    return out


def zeros(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run what gives zeros whatever its input is: `zeros_like`, `new_zeros`, `zero_`."""
    out = ran(watch, func, args, _without_device(watch, kwargs))
    watch.trace.set(out, (), live=False).zeros = True
    return out


def filled(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run what gives a constant, or random numbers, whatever its input is."""
    out = ran(watch, func, args, _without_device(watch, kwargs))
    watch.trace.set(out, (), live=False).zeros = len(args) > 1 and is_zero(args[-1])
    return out


def is_zero(number: Any) -> bool:
    """Return whether an argument is the number 0."""
    return isinstance(number, int | float) and number == 0


def moved(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run what gives the contents of its inputs, in other places."""
    out = ran(watch, func, args, _without_device(watch, kwargs))
    known = inputs(watch, args, {})
    for tensor in tensors((out,)):
        watch.trace.moved(known, tensor)
    return out


def copied(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `copy_(target, source)`."""
    out = ran(watch, func, args, kwargs)
    watch.trace.moved([watch.trace.value(args[1])], args[0])
    return out


def _without_device(watch: Watch, kwargs: Kwargs) -> Kwargs:
    """Return the arguments with "meta" for any device that the network names."""
    return {**kwargs, "device": "meta"} if watch.meta and kwargs.get("device") is not None else kwargs


def reads_numbers(otherwise: Rule) -> Rule:
    """Return the rule for what depends on the numbers in its input: `item`, `nonzero`."""

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        if any(tensor.is_meta for tensor in tensors(args)):
            raise refusal(watch, func, "reads numbers")
        if torch.Tag.data_dependent_output in func.tags:
            return func(*args, **kwargs)
        return otherwise(watch, func, args, kwargs)

    return rule
