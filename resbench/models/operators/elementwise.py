"""Operators that do a fixed small amount of work for each element, and those of which nobody knows."""

from typing import Any

from torch import Tensor

from resbench.architectures.plan import Kind
from resbench.models.operators.movement import is_zero
from resbench.models.operators.running import (
    Args,
    Kwargs,
    Rule,
    Watch,
    argument,
    first,
    inputs,
    operator,
    ran,
    ran_alike,
    ran_on_two,
    tensors,
    word,
)
from resbench.models.values import Value


def noted_as(kind: Kind) -> Rule:
    """Return the rule that notes one layer for all that an operator gives, or overwrites."""

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        read = inputs(watch, args, kwargs)
        out = ran(watch, func, args, kwargs)
        given = list(tensors((out,))) or [value.tensor for value in read[:1]]
        if given:
            value = watch.trace.note(kind, word(func), operator(func), read, given[0])
            for other in given[1:]:
                watch.trace.set(other, value.sources, value.live)
        return out

    return rule


unknown = noted_as(Kind.UNKNOWN)
elementwise = noted_as(Kind.ELEMENTWISE)
dropped = noted_as(Kind.DROPOUT)


def alike(kind: Kind, name: str = "") -> Rule:
    """Return the rule for an operator whose output is of its first input's shape and type."""

    def rule(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
        read = inputs(watch, args, kwargs)
        out = ran_alike(watch, func, args, kwargs)
        watch.trace.note(kind, name or word(func), operator(func), read, out)
        return out

    return rule


def dropout(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `dropout(input, p, train)`, which does nothing in evaluation."""
    return dropped(watch, func, args, kwargs) if argument(args, kwargs, 2, "train", True) else args[0]


def softmax(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `softmax(input, dim, dtype)` or `_softmax(input, dim, half_to_float)`."""
    read = inputs(watch, args, kwargs)
    # The third argument is a type to convert to, or whether to convert.
    converts = bool(argument(args, kwargs, 2, "dtype"))
    out = (ran if converts else ran_alike)(watch, func, args, kwargs)
    watch.trace.note(Kind.SOFTMAX, "softmax", operator(func), read, out)
    return out


def batch_norm(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `batch_norm(input, weight, bias, ...)`."""
    read = inputs(watch, args[:3], {})
    run = ran_alike if word(func) == "batch_norm" else ran
    out = run(watch, func, args, kwargs)
    watch.trace.note(Kind.BATCH_NORM, "batch_norm", "aten.batch_norm", read, first(out))
    return out


def norm(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run a layer, group, instance or RMS norm."""
    read = inputs(watch, args, kwargs)
    name = word(func).removeprefix("native_")
    run = ran_alike if word(func) in ("layer_norm", "group_norm") else ran
    out = run(watch, func, args, kwargs)
    watch.trace.note(Kind.NORM, name, operator(func), read, first(out))
    return out


def add(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run an addition: of two activations it is a residual's."""
    read = inputs(watch, args, kwargs)
    out = ran_on_two(watch, func, args, kwargs)
    kind = Kind.ADD if sum(value.live for value in read) == 2 else Kind.ELEMENTWISE
    watch.trace.note(kind, "add", "aten.add", _widest_first(read, out), out)
    return out


def subtract(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run `sub` or `rsub`."""
    read = inputs(watch, args, kwargs)
    out = ran_on_two(watch, func, args, kwargs)
    watch.trace.note(Kind.SUBTRACT, "subtract", operator(func), _widest_first(read, out), out)
    return out


def multiply(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run a product of elements: by one constant it is a scale."""
    read = inputs(watch, args, kwargs)
    out = ran_on_two(watch, func, args, kwargs)
    factors = [value for value in read if value.live or value.parameters or value.tensor.ndim]
    kind, name = (Kind.MULTIPLY, "multiply") if len(factors) > 1 else (Kind.SCALE, "scale")
    zeros = any(value.zeros for value in read) or is_zero(args[1])
    watch.trace.note(kind, name, "aten.mul", _widest_first(read, out), out).zeros = zeros
    return out


def _widest_first(read: list[Value], out: Tensor) -> list[Value]:
    """Return the inputs; the first, whose shape is the layer's input, is one of the output's shape where there is one."""
    if len(read) > 1 and read[0].tensor.shape != out.shape and read[1].tensor.shape == out.shape:
        read.reverse()
    return read
