"""Running one operator, on shapes alone where they decide its output."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from resbench.models.tracing import Trace
from resbench.models.values import Value

Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[["Watch", Any, Args, Kwargs], Any]
"""Runs an operator with its arguments, notes what it did, and returns what it gave."""


class Watch(TorchDispatchMode):
    """Hands every operator that runs to its rule.

    Args:
        trace: what the rules tell what they did.
        rule_of: says which rule an operator has.
        meta: whether the network runs on shapes alone.
    """

    def __init__(self, trace: Trace, rule_of: Callable[[Any], Rule], *, meta: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.trace = trace
        self.rule_of = rule_of
        self.meta = meta

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Args = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run one operator and note what it did."""
        return self.rule_of(func)(self, func, args, kwargs or {})


class Refused(Exception):  # noqa: N818 - no error where the caller lets the network run on numbers
    """An operator needs numbers, where there are only shapes."""


def refusal(watch: Watch, func: Any, why: str) -> Refused:
    """Return the refusal of an operator, with its name and that of its module."""
    path = watch.trace.stack[-1].path
    return Refused(f"{operator(func)} in {path or 'its forward'} {why}")


@cache
def full_name(func: Any) -> str:
    """Return namespace and name of an operator without its overload: `aten::relu_`."""
    return str(func.name().partition(".")[0])


@cache
def operator(func: Any) -> str:
    """Return the name of an operator, which is the same in place: `aten.relu`."""
    return full_name(func).replace("::", ".").removesuffix("_")


@cache
def word(func: Any) -> str:
    """Return what an operation is called beside the modules: `relu`."""
    return full_name(func).partition("::")[2].strip("_")


def tensors(args: Iterable[Any]) -> Iterator[Tensor]:
    """Return the tensors among arguments and in their lists."""
    for arg in args:
        if isinstance(arg, Tensor):
            yield arg
        elif isinstance(arg, list | tuple):
            yield from tensors(arg)


def inputs(watch: Watch, args: Args, kwargs: Kwargs) -> list[Value]:
    """Return what is known of the tensors that an operator reads."""
    value = watch.trace.value
    found = [value(tensor) for tensor in tensors(args)]
    if kwargs:
        found += [value(tensor) for tensor in tensors(kwargs[name] for name in kwargs if name != "out")]
    return found


def argument(args: Args, kwargs: Kwargs, place: int, name: str, default: Any = None) -> Any:
    """Return an argument; PyTorch leaves out what has its default."""
    return args[place] if len(args) > place else kwargs.get(name, default)


def first(out: Any) -> Tensor:
    """Return the first tensor of what an operator gave."""
    found: Tensor = out if isinstance(out, Tensor) else out[0]
    return found


def ran(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run an operator.

    Raises:
        Refused: PyTorch can't tell the shape of its output.
    """
    try:
        return func(*args, **kwargs)
    except RuntimeError as error:
        if not watch.meta:
            raise
        failed = error
    if not all(tensor.is_meta for tensor in tensors((args, tuple(kwargs.values())))):
        # Constants made of Python numbers lie on the CPU, and may meet the network's tensors.
        try:
            return func(*_on_meta(args), **dict(zip(kwargs, _on_meta(tuple(kwargs.values())), strict=True)))
        except RuntimeError as error:
            failed = error
    if any(sign in str(failed) for sign in ("meta", "Meta", "fake impl")):
        raise refusal(watch, func, "has no rule for shapes") from failed
    raise failed


def _on_meta(args: Sequence[Any]) -> list[Any]:
    moved: list[Any] = []
    for arg in args:
        if isinstance(arg, Tensor):
            moved.append(arg.to("meta"))
        else:
            moved.append(_on_meta(arg) if isinstance(arg, list | tuple) else arg)
    return moved


def ran_alike(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run an operator whose output is of the shape and type of its first input.

    PyTorch's own rules for shapes are written in Python and take ten times as long as an empty tensor.
    """
    tensor = args[0]
    if not tensor.is_meta or "out" in kwargs or not tensor.is_floating_point():
        return ran(watch, func, args, kwargs)
    if full_name(func).endswith("_"):
        return tensor
    # A layer norm gives plain memory whatever it gets.
    if tensor.is_contiguous() or full_name(func) == "aten::layer_norm":
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    return torch.empty_like(tensor)


def ran_on_two(watch: Watch, func: Any, args: Args, kwargs: Kwargs) -> Any:
    """Run an operator on a tensor and a tensor or number, each element on its own."""
    left, right = args[:2]
    if isinstance(left, Tensor) and left.is_contiguous():
        alike = _spreads_over(left, right) if isinstance(right, Tensor) else isinstance(right, int | float)
        if alike:
            return ran_alike(watch, func, args, kwargs)
    return ran(watch, func, args, kwargs)


def _spreads_over(left: Tensor, right: Tensor) -> bool:
    """Return whether two tensors give one of the left one's shape and type."""
    whole, part = left.shape, right.shape
    if left.dtype is not right.dtype or not right.is_contiguous():
        return False
    if whole == part:
        return True
    return len(whole) == len(part) and all(side in (1, size) for side, size in zip(part, whole, strict=True))
