"""A model to run without leaving a trace in the caller's: itself where that is safe, else a copy."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from resbench.errors import UsageError


@contextmanager
def borrowed(model: nn.Module, device: str) -> Iterator[nn.Module]:
    """Give the model in evaluation mode on `device`, "meta" or "cpu", and leave the caller's as it was.

    Raises:
        UsageError: it can't be copied, or its parameters have no shape yet.
    """
    modules = list(model.modules())
    if device == "meta" and all(map(_is_plain, modules)):
        training = [module for module in modules if module.training]
        for module in training:
            module.training = False
        try:
            yield model
        finally:
            for module in training:
                module.training = True
    else:
        yield _copy(model, device).eval()


def _is_plain(module: nn.Module) -> bool:
    """Return whether all it has is on the meta device, and switching it to evaluation does no more than set a flag."""
    for tensors in (module._parameters, module._buffers):  # noqa: SLF001 - a dozen times as fast as their iterators
        for tensor in tensors.values():
            if tensor is not None and not tensor.is_meta:
                return False
    return type(module).train is nn.Module.train


def _copy(model: nn.Module, device: str) -> nn.Module:
    memo: dict[int, Any] = {}
    for module in model.modules():
        for held in (vars(module), module._parameters, module._buffers):  # noqa: SLF001 - as above
            for tensor in held.values():
                if isinstance(tensor, Tensor) and id(tensor) not in memo:
                    memo[id(tensor)] = _moved(model, tensor, device)
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        raise UsageError(
            f"{type(model).__name__} can't be copied ({type(error).__name__}: {error}): "
            'build it under torch.device("meta")'
        ) from error


def _moved(model: nn.Module, tensor: Tensor, device: str) -> Tensor:
    if torch.nn.parameter.is_lazy(tensor):
        raise UsageError(f"{type(model).__name__} has lazy layers: run it once on one input first")
    with torch.no_grad():
        if device == "meta":
            moved = torch.empty_like(tensor, device="meta")
        elif tensor.is_meta:
            # Any numbers will do, as long as no root or division fails on them.
            moved = torch.ones_like(tensor, device="cpu")
            if tensor.is_floating_point() and tensor.ndim > 1:
                moved.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(0))
        else:
            moved = tensor.detach().to("cpu", copy=True)
    return nn.Parameter(moved, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else moved
