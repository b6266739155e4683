"""Calling other people's constructors with arguments from a command line, and saying in one line what went wrong."""

import ast
import contextlib
import copy
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from resbench.errors import UsageError, unknown

_WORDS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constructor:
    """What makes a network.

    Attributes:
        name: for messages: `torchvision:resnet50`, `net.py:make`.
        make: returns an `nn.Module`, or is one.
        always: arguments that we give it, under the user's.
        resizes: whether its head is known to be sized by `num_classes`, whatever its signature says.
    """

    name: str
    make: Any
    always: Mapping[str, object] = field(default_factory=dict)
    resizes: bool = False


def construct(constructor: Constructor, texts: Mapping[str, str], classes: int | None) -> nn.Module:
    """Return the network, made with the arguments under the active device.

    Args:
        constructor: what makes it.
        texts: arguments as text; a Python literal is one, anything else is a string.
        classes: outputs of the head, given as `num_classes` (or `classes`, where the constructor has that).

    Raises:
        UsageError: it does not take these arguments, raises an error, or returns no `nn.Module`.
    """
    given: dict[str, object] = {name: literal(text) for name, text in texts.items()}
    if isinstance(constructor.make, nn.Module):
        if given or classes is not None:
            raise UsageError(
                f"{constructor.name} is a finished network and takes no arguments and no classes"
            )
        return _copied(constructor.make)
    if not callable(constructor.make):
        kind = type(constructor.make).__name__
        raise UsageError(
            f"{constructor.name} is a {kind}: name a function or class that returns an nn.Module"
        )
    if classes is not None:
        given[_classes_argument(constructor)] = classes
    _check_arguments(constructor, given)
    module = _call(constructor, {**constructor.always, **given})
    if not isinstance(module, nn.Module):
        raise UsageError(f"{constructor.name} returns a {type(module).__name__}, which is no nn.Module")
    return module


def literal(text: str) -> object:
    """Return what an argument's text means: a number, true, false, none, a tuple or list of them, or a string."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def told(error: BaseException) -> str:
    """Return the type and the message of an error of other people's code, in one line that is not too long."""
    message = " ".join(str(error).split())
    short = message if len(message) <= 300 else f"{message[:300]}..."
    return f"{type(error).__name__}: {short}" if short else type(error).__name__


def _copied(network: nn.Module) -> nn.Module:
    """Return a copy of a finished network on the active device; on the meta device nothing is allocated."""
    device = torch.get_default_device()
    if device.type != "meta":
        return copy.deepcopy(network).to(device)
    memo: dict[int, object] = {}
    for parameter in network.parameters():
        memo[id(parameter)] = nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
    for buffer in network.buffers():
        memo[id(buffer)] = buffer.detach().to("meta")
    return copy.deepcopy(network, memo)


def _call(constructor: Constructor, arguments: Mapping[str, object]) -> object:
    """Call it under the active device.

    Some constructors read the values of tensors, which has no answer on the meta device: they are called again with
    parameters alone on it, and at last, if they read those, too, with everything on the CPU.
    """
    make: Callable[..., object] = constructor.make
    meta = torch.get_default_device().type == "meta"
    places = (_as_it_is, _parameters_on_meta, _on_cpu) if meta else (_as_it_is,)
    for place in places:
        try:
            with place():
                module = make(**arguments)
            return module.to("meta") if meta and isinstance(module, nn.Module) else module
        except (Exception, SystemExit) as error:
            if place is places[-1]:
                raise _failed(constructor, arguments, error) from error
    raise AssertionError("the last place raises")


_as_it_is = contextlib.nullcontext


@contextlib.contextmanager
def _parameters_on_meta() -> Iterator[None]:
    moved: dict[
        int, tuple[nn.Parameter, nn.Parameter]
    ] = {}  # holds the first, too, so that its id stays its own

    def move(_module: nn.Module, _name: str, parameter: nn.Parameter | None) -> nn.Parameter | None:
        if parameter is None or parameter.is_meta:
            return parameter
        if id(parameter) not in moved:
            empty = nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
            moved[id(parameter)] = (parameter, empty)
        return moved[id(parameter)][1]

    hook = register_module_parameter_registration_hook(cast("Any", move))
    try:
        with torch.device("cpu"):
            yield
    finally:
        hook.remove()


def _on_cpu() -> torch.device:
    return torch.device("cpu")


def _failed(constructor: Constructor, arguments: Mapping[str, object], error: BaseException) -> UsageError:
    """Return the error for a constructor that raised one; for an argument that a class behind it does not take, too."""
    matched = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if isinstance(error, TypeError) and matched and matched[2] in arguments:
        behind = getattr(inspect.unwrap(constructor.make), "__globals__", {}).get(matched[1])
        if isinstance(behind, type):
            return _not_taken(constructor, matched[2], _accepted(behind)[0])
        return UsageError(f"{constructor.name} takes no argument '{matched[2]}'")
    return UsageError(f"{constructor.name} can't be made: {told(error)}")


def _accepted(make: Callable[..., object]) -> tuple[list[str], bool]:
    """Return the names of the arguments, and whether any others are taken as well; no names where nothing is known."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except (ValueError, TypeError):
        return [], True
    names = [
        found.name for found in parameters if found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)
    ]
    return names, any(found.kind is found.VAR_KEYWORD for found in parameters)


def _classes_argument(constructor: Constructor) -> str:
    names, any_other = _accepted(constructor.make)
    for name in ("num_classes", "classes", "n_classes"):
        if name in names:
            return name
    if any_other or constructor.resizes:
        return "num_classes"
    raise UsageError(
        f"{constructor.name} takes no num_classes: its head has the size that it has"
        + (f"; it takes {', '.join(names)}" if names else "")
    )


def _check_arguments(constructor: Constructor, given: Mapping[str, object]) -> None:
    names, any_other = _accepted(constructor.make)
    for name in given:
        if name in constructor.always:
            raise UsageError(
                f"{constructor.name} is made without weights and takes no '{name}': give --weights"
            )
        if not any_other and name not in names:
            raise _not_taken(constructor, name, names)
    try:
        signature = inspect.signature(constructor.make)
    except (ValueError, TypeError):
        return
    missing = [
        found.name
        for found in signature.parameters.values()
        if found.default is found.empty
        and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)
        and found.name not in {**constructor.always, **given}
    ]
    if missing:
        example = ",".join(f"{name}=..." for name in missing)
        raise UsageError(f"{constructor.name} needs {', '.join(missing)}: give {constructor.name}({example})")


def _not_taken(constructor: Constructor, name: str, names: list[str]) -> UsageError:
    takes = [known for known in names if known not in constructor.always]
    if not takes:
        return UsageError(f"{constructor.name} takes no arguments, found '{name}'")
    return unknown(f"argument of {constructor.name}", name, takes)
