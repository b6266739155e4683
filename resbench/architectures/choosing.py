"""A catalogued network with other choices: `resnet34(shortcut=A)`, `cifar_resnet20(depth=14,width=32)`. No torch."""

import dataclasses
import types
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from resbench.architectures.description import Architecture, Body
from resbench.errors import UsageError, unknown

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def chosen(architecture: Architecture, arguments: Mapping[str, str]) -> Architecture:
    """Return the architecture with some choices of its body, or its `classes`, set from text.

    Its name says which; exact costs are known for catalogued networks alone, and are None here.

    Raises:
        UsageError: there is no such choice, or its value can't be used.
    """
    body, classes = architecture.body, architecture.classes
    given = _in_our_words(architecture.name, arguments)
    arguments = dict(given)
    if "classes" in given:
        classes = _value(architecture.name, "classes", int, given.pop("classes"))
    fields = _fields(body)
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in fields:
            raise unknown(f"choice of {architecture.name}", name, (*fields, "classes"))
        values[name] = _value(architecture.name, name, fields[name], text)
    try:
        body = _changed(body, values)
    except ValueError as error:
        raise UsageError(f"{architecture.name}: {error}") from error
    told = ",".join(f"{name}={text}" for name, text in arguments.items())
    return dataclasses.replace(
        architecture, name=f"{architecture.name}({told})", body=body, classes=classes, costs=None, aliases=()
    )


def choices_of(architecture: Architecture) -> dict[str, Any]:
    """Return what was chosen for the network's body, under the names that `chosen` takes.

    A choice that the body has a default for is left out where it is that.
    """
    body: Any = architecture.body
    plain = _plain(body)
    return {
        field.name: getattr(body, field.name)
        for field in dataclasses.fields(body)
        if field.name in plain and getattr(body, field.name) != field.default
    }


def _in_our_words(model: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments with `option`, the papers' word, as `shortcut`."""
    if "option" in arguments and "shortcut" in arguments:
        raise UsageError(f"{model}: option and shortcut are the same choice: give one of them")
    return {"shortcut" if name == "option" else name: text for name, text in arguments.items()}


def _fields(body: Body) -> dict[str, Any]:
    """Return the type of each choice: the body's plain fields, and what else its class can be resized by."""
    return {**_plain(body), **getattr(type(body), "SIZES", {})}


def _plain(body: Body) -> dict[str, Any]:
    hints = get_type_hints(type(body))
    return {name: hints[name] for name in hints if _is_plain(hints[name])}


def _is_plain(hint: Any) -> bool:
    options = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return all(
        isinstance(option, type) and issubclass(option, bool | int | float | StrEnum | None)
        for option in options
    )


def _changed(body: Any, values: Mapping[str, Any]) -> Any:
    sizes = {name: value for name, value in values.items() if name in getattr(type(body), "SIZES", {})}
    rest = {name: value for name, value in values.items() if name not in sizes}
    changed = dataclasses.replace(body, **rest)
    return changed.resized(**sizes) if sizes else changed


def _value(model: str, name: str, hint: Any, text: str) -> Any:
    options = [option for option in (get_args(hint) or (hint,)) if option is not types.NoneType]
    if len(options) < len(get_args(hint)) and text.lower() == "none":
        return None
    (option,) = options
    if option is bool:
        if text.lower() not in _YES:
            raise UsageError(f"{model}: {name}={text} is not yes or no")
        return _YES[text.lower()]
    if issubclass(option, StrEnum):
        by_value = {str(member).lower(): member for member in option}
        if text.lower() not in by_value:
            raise unknown(f"{name} of {model}", text, (str(member) for member in option))
        return by_value[text.lower()]
    try:
        value = option(text)
    except ValueError as error:
        kind = "a whole number" if option is int else "a number"
        raise UsageError(f"{model}: {name}={text} is not {kind}") from error
    if option is int and value < 1:
        raise UsageError(f"{model}: {name}={text} must be at least 1")
    return value
