"""What the name of a run's recipe says: whose it is, how much of it ran, what was set otherwise. No torch.

`he2015_cifar-short+optimizer.lr=0.05` is the recipe he2015_cifar at scale short, with one field set after that.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from resbench.specs.overriding import text_of, types_of, value_of
from resbench.specs.recipe import Recipe

_SETTING = re.compile(r"\+(?=[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?=)")


class Parts(NamedTuple):
    """The parts of a name: the published recipe's, the scale (empty: full), the settings as `--set` takes them."""

    published: str
    amount: str
    settings: tuple[str, ...]


def parts_of(name: str, known: Iterable[str]) -> Parts | None:
    """Return the parts of a recipe's name, or None where it is none of the `known` ones' and no form of one.

    A known name may itself hold settings, as that of an arm with `changes` does: the longest that fits is taken.
    """
    for published in sorted(known, key=len, reverse=True):
        rest = name.removeprefix(published)
        if not name.startswith(published) or (rest and rest[0] not in "-+"):
            continue
        amount, *settings = _SETTING.split(rest)
        return Parts(published, amount.removeprefix("-"), tuple(settings))
    return None


def holds(recipe: Mapping[str, Any], setting: str, published: Recipe) -> bool:
    """Whether a recipe, as plain data, has what a setting says; what it leaves out is at its field's default."""
    name, _, text = setting.partition("=")
    if name not in types_of(Recipe):
        return False
    value: Any = recipe
    for part in name.split("."):
        if part not in value:
            return text_of(_default(published, name)) == text
        value = value[part]
    return text_of(tuple(value) if isinstance(value, list) else value) == text


def _default(recipe: Recipe, name: str) -> Any:
    """Return the default of the field with that dotted name."""
    holder, _, last = name.rpartition(".")
    owner: Any = value_of(recipe, holder) if holder else recipe
    return next(field.default for field in dataclasses.fields(owner) if field.name == last)
