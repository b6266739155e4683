"""The layers of any network, seen as they run: every operator, with its shapes, its sources and its cost.

The network runs once on the meta device, where tensors have shapes and no content, so that nothing is allocated or computed.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from resbench.architectures.layers import Layer, Shape
from resbench.errors import ResbenchError, UsageError
from resbench.models.copying import borrowed
from resbench.models.operators.rules import rule_of
from resbench.models.operators.running import Refused, Watch
from resbench.models.tracing import Trace


class Observation(NamedTuple):
    """What was seen of a network.

    A parameter stands at the first layer that reads it: the layers' sum is the number of distinct parameters, less
    those in no layer that ran, of which a note tells. A second call of a shared module is a layer without parameters.

    Attributes:
        layers: in the order in which they ran; shapes and costs are those of one picture.
        parameters: distinct numbers in all parameters of the network, frozen ones, too.
        output_shape: without the batch; of several outputs, the first's.
        notes: what a reader must know: what was not seen, what was taken for granted.
    """

    layers: tuple[Layer, ...]
    parameters: int
    output_shape: Shape
    notes: tuple[str, ...] = ()


def observe(
    model: nn.Module, input_CHW: tuple[int, ...], *, batch: int = 1, fall_back: bool = False
) -> Observation:
    """Return the layers that run when the network sees pictures of that shape, in evaluation mode and without gradients.

    The model is left as it was; hooks on its modules run. One that is not on the meta device is copied there without its weights.

    Args:
        model: the network.
        input_CHW: shape of one picture.
        batch: how many pictures.
        fall_back: whether to run a network that can't run without numbers on the CPU, with random ones; a note says so.

    Raises:
        UsageError: the network needs numbers, not only shapes, and may not fall back.
        ResbenchError: the network itself failed.
    """
    if batch < 1 or min(input_CHW, default=1) < 1:
        size = "x".join(map(str, (batch, *input_CHW)))
        raise UsageError(f"an input of {size} is empty: give a batch and sides of at least 1")
    # A compiled model runs the one it was made of.
    model = getattr(model, "_orig_mod", model)
    try:
        return _observe(model, input_CHW, batch, "meta")
    except Refused as refused:
        if not fall_back:
            raise UsageError(
                f"{type(model).__name__} can't be counted from shapes alone: {refused}; "
                "count it with numbers on the CPU (fall_back), for one random input"
            ) from refused
        seen = _observe(model, input_CHW, batch, "cpu")
        note = f"run with random numbers on the CPU, since {refused}: another input may take another way"
        return seen._replace(notes=(note, *seen.notes))


def _observe(model: nn.Module, input_CHW: tuple[int, ...], batch: int, device: str) -> Observation:
    with borrowed(model, device) as lent, torch.inference_mode():
        image = _image(lent, (batch, *input_CHW), device)
        trace = Trace(lent, image, batch)
        with _watching(trace, device):
            output = _run(lent, image, trace, input_CHW)
    unread = sum(trace.unclaimed.values())
    if unread:
        trace.notes.append(f"{unread} of {trace.parameters} parameters are in no layer that ran")
    tensors = _tensors(output)
    first = next(tensors, None)
    return Observation(
        tuple(trace.layers),
        trace.parameters,
        () if first is None else trace.picture(first.shape),
        tuple(trace.notes),
    )


def _image(model: nn.Module, shape: tuple[int, ...], device: str) -> Tensor:
    """Return the input, in the model's own precision."""
    floating = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    dtype = next(floating, torch.float32)
    if device == "meta":
        return torch.empty(shape, dtype=dtype, device="meta")
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def _run(model: nn.Module, image: Tensor, trace: Trace, input_CHW: tuple[int, ...]) -> Any:
    try:
        return model(image)
    except (Refused, ResbenchError):
        raise
    except Exception as error:
        size = "x".join(map(str, input_CHW))
        where = _innermost(error.__traceback__, trace) or type(model).__name__
        reason = next(iter(str(error).strip().splitlines()), "no reason given")
        raise ResbenchError(
            f"{type(model).__name__} fails on an input of {size}, in {where}: {type(error).__name__}: {reason}"
        ) from error


def _innermost(failed: TracebackType | None, trace: Trace) -> str:
    """Return the path of the innermost module whose `forward` stands in the traceback."""
    found = ""
    for frame, _line in traceback.walk_tb(failed):
        place = trace.places.get(id(frame.f_locals.get("self")))
        found = place.path if place else found
    return found


@contextmanager
def _watching(trace: Trace, device: str) -> Iterator[None]:
    # The fast path of attention modules is one operator that nobody can look into.
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(register_module_forward_pre_hook(trace.enter).remove)
        stack.callback(register_module_forward_hook(trace.leave, always_call=True).remove)
        stack.enter_context(Watch(trace, rule_of, meta=device == "meta"))
        yield


def _tensors(output: Any) -> Iterator[Tensor]:
    """Return the tensors in what a model returned, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from _tensors(value)
