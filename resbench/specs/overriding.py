"""A recipe with some of its fields set otherwise: `optimizer.lr=0.05`. Every problem is told at once. No torch."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from resbench.errors import UsageError, unknown
from resbench.specs.bounds import CHOICES, problems_of
from resbench.specs.recipe import Recipe

FIXED = ("name", "source")
"""What says where a recipe comes from is no setting."""

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_NONE = "none"


class Change(NamedTuple):
    """One field in which a recipe differs from another: its dotted name, and what each has, as text."""

    field: str
    published: str
    asked: str


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Return the recipe with some fields set otherwise.

    Its name says what was changed (`he2015_cifar+optimizer.lr=0.05`), in the order of the fields, so that the same
    settings give the same recipe however they were written. A field set to what it was is no change.

    Args:
        recipe: as published.
        settings: `NAME=VALUE` each. A tuple is written with commas, an empty one as nothing; None is `none`.

    Raises:
        UsageError: one or more settings can't be used; the message names them all.
    """
    types = types_of(type(recipe))
    changed, problems = recipe, []
    seen: set[str] = set()
    for setting in settings:
        try:
            name, text = _split(setting, types, seen)
            changed = _with(changed, name.split("."), read(name, types[name], text))
        except UsageError as error:
            problems.append(str(error))
    # A value that is wrong in itself is told as such; only then does it make sense to ask what fits together.
    problems = problems or problems_of(changed, seen)
    if problems:
        raise UsageError("; ".join(problems))
    return replace(changed, name=_named(recipe, changed))


def changes(published: Recipe, other: Recipe) -> tuple[Change, ...]:
    """Return every field but the name and the source in which two recipes differ, in the order of the fields."""
    return tuple(
        Change(name, text_of(one), text_of(two))
        for name in types_of(type(published))
        if (one := value_of(published, name)) != (two := value_of(other, name))
    )


def types_of(kind: type) -> dict[str, Any]:
    """Return the type of each field of a recipe that can be set, by its dotted name."""
    return {name: hint for name, hint in _leaves(kind).items() if name.partition(".")[0] not in FIXED}


def value_of(recipe: Recipe, name: str) -> Any:
    """Return the field with that dotted name."""
    value: Any = recipe
    for part in name.split("."):
        value = getattr(value, part)
    return value


def text_of(value: Any) -> str:
    """Return a field's value as it is written in a setting; `read` makes it the same value again."""
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(text_of, value))
    return str(value)


def read(name: str, kind: Any, text: str) -> Any:
    """Return the value that a text stands for in a field of that type.

    Raises:
        UsageError: it stands for none.
    """
    if get_origin(kind) in (Union, UnionType):
        return _read_union(name, get_args(kind), text)
    if get_origin(kind) is tuple:
        return _read_tuple(name, get_args(kind), text)
    if get_origin(kind) is Literal or name in CHOICES:
        return _read_choice(name, get_args(kind) or CHOICES[name], text)
    if kind in _READERS:
        return _READERS[kind](name, text)
    raise TypeError(f"{name}: no setting can have the type {kind}")


def _leaves(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for field in fields(kind):
        hint = hints[field.name]
        if isinstance(hint, type) and is_dataclass(hint):
            found |= {f"{field.name}.{name}": inner for name, inner in _leaves(hint).items()}
        else:
            found[field.name] = hint
    return found


def _split(setting: str, types: Mapping[str, Any], seen: set[str]) -> tuple[str, str]:
    name, equals, text = (part.strip() for part in setting.partition("="))
    if not equals:
        raise UsageError(f"'{setting}' sets nothing: write NAME=VALUE, as in optimizer.lr=0.05")
    if name in seen:
        raise UsageError(f"{name} is set twice")
    if name not in types:
        raise _unknown_field(name, types)
    seen.add(name)
    return name, text


def _with(holder: Any, path: Sequence[str], value: Any) -> Any:
    first, *rest = path
    return replace(holder, **{first: _with(getattr(holder, first), rest, value) if rest else value})


def _named(recipe: Recipe, changed: Recipe) -> str:
    return "".join([recipe.name, *(f"+{change.field}={change.asked}" for change in changes(recipe, changed))])


def _unknown_field(name: str, types: Mapping[str, Any]) -> UsageError:
    if name.partition(".")[0] in FIXED:
        return UsageError(f"{name} says where the recipe comes from and can't be set")
    parts = [known for known in types if known.startswith(f"{name}.")]
    if parts:
        return UsageError(f"{name} has parts: set one of {', '.join(parts)}")
    # `lr` alone is nearer to what was meant than any name that is spelt like it.
    ends = [known for known in types if known.endswith(f".{name}")]
    if ends:
        return UsageError(f"unknown field '{name}': did you mean {' or '.join(ends)}?")
    return unknown("field", name, types)


def _read_union(name: str, kinds: Sequence[Any], text: str) -> Any:
    if NoneType in kinds and text.lower() == _NONE:
        return None
    rest = [kind for kind in kinds if kind is not NoneType]
    try:
        return read(name, rest[0], text)
    except UsageError as error:
        if len(rest) > 1:
            return _read_union(name, rest[1:], text)
        raise UsageError(f"{error} or none" if NoneType in kinds else str(error)) from error


def _read_choice(name: str, known: Sequence[Any], text: str) -> Any:
    for choice in known:
        if text_of(choice) == text:
            return choice
    raise unknown(name, text, map(text_of, known))


def _read_tuple(name: str, kinds: Sequence[Any], text: str) -> tuple[Any, ...]:
    bare = text.removeprefix("(").removesuffix(")").strip()
    texts = [part.strip() for part in bare.removesuffix(",").split(",")] if bare else []
    if kinds[-1] is Ellipsis:
        return tuple(read(name, kinds[0], part) for part in texts)
    if len(texts) != len(kinds):
        raise UsageError(f"{name} takes {len(kinds)} values with commas between them, found '{text}'")
    return tuple(read(name, kind, part) for kind, part in zip(kinds, texts, strict=True))


def _read_bool(name: str, text: str) -> bool:
    if text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    raise UsageError(f"{name} takes true or false, found '{text}'")


def _read_int(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{name} takes a whole number, found '{text}'") from None


def _read_float(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{name} takes a number, found '{text}'") from None
    if not math.isfinite(value):
        raise UsageError(f"{name} takes a finite number, found '{text}'")
    return value


_READERS: Mapping[Any, Callable[[str, str], Any]] = {
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    str: lambda _name, text: text,
}
