"""What can be wrong with a suite's TOML file beyond a single field: found in the raw data, so that all is told at once. No torch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.errors import UsageError
from resbench.execution.suite_form import recipe_with
from resbench.execution.toml_lines import Place
from resbench.specs import Recipe

Raw = Mapping[str, Any]

_TRAINING: Final = ("data", "recipe", "changes", "metric", "processes")
_PROFILING: Final = ("batch_size", "num_classes", "input")
IDLE: Final = {
    "trained": (*_PROFILING, "backend"),
    "counted": (*_TRAINING, "precision", "backend", "batch_size", "published"),
    "timed": (*_TRAINING, "published"),
}
"""By kind of suite, the fields that would change nothing."""


class Mistake(NamedTuple):
    """What is wrong, and where."""

    place: Place
    said: str


def mistakes(data: Raw) -> list[Mistake]:
    """Return what is wrong with fields together; what is wrong with one alone is the forms' to say, and is passed over here."""
    kind = _word(data, "kind") if "kind" in data else "trained"
    if kind not in IDLE:
        return []
    arms = _arms(data)
    found = [*_idle(kind, data, ()), *(each for place, arm in arms for each in _idle(kind, arm, place))]
    found += _lacking(data, arms) if kind == "trained" else []
    for place, arm in arms:
        found += _unfit(kind, data, arm, place)
    return [*found, *_alike(kind, data, arms)]


def _arms(data: Raw) -> list[tuple[Place, Raw]]:
    return [
        ((part, number), arm)
        for part in ("arms", "extra")
        for number, arm in enumerate(_listed(data.get(part)))
        if isinstance(arm, dict)
    ]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(table: Raw, name: str) -> str:
    """Return a field's text; nothing where it has none, or is no text, which the form says."""
    value = table.get(name)
    return value if isinstance(value, str) else ""


def _idle(kind: str, table: Raw, place: Place) -> Iterator[Mistake]:
    for name in IDLE[kind]:
        if name in table:
            yield Mistake((*place, name), f"'{name}' changes nothing in a suite that is {kind}: leave it out")


def _lacking(data: Raw, arms: Sequence[tuple[Place, Raw]]) -> Iterator[Mistake]:
    for name, what in (("data", "data"), ("recipe", "a recipe")):
        if not data.get(name) and not (arms and all(arm.get(name) for _, arm in arms)):
            yield Mistake((), f"a suite that trains needs {what}, of its own or of each arm")


def _unfit(kind: str, data: Raw, arm: Raw, place: Place) -> Iterator[Mistake]:
    """Yield changes that can't be made, and an input that does not suit the network."""
    if kind == "trained":
        recipe = _recipe_of(data, arm)
        if isinstance(recipe, UsageError):
            # Of the suite's own changes it is told with the first arm alone.
            if arm.get("changes") or place == ("arms", 0):
                yield Mistake((*place, "changes") if arm.get("changes") else ("changes",), str(recipe))
            return
        side = recipe.pictures.crop if recipe else None
        asked = None if side is None else ((3, side, side), None)
    else:
        size = arm.get("input", data.get("input", [3, 224, 224]))
        asked = (tuple(_listed(size)), arm.get("num_classes", data.get("num_classes", 1000)))
    if asked is not None:
        yield from _too_small(arm, asked, place)


def _too_small(arm: Raw, asked: tuple[Any, Any], place: Place) -> Iterator[Mistake]:
    try:
        architecture = find_architecture(_word(arm, "model"))
    except UsageError:
        return  # the form says that there is no such network
    try:
        layers_of(architecture, *asked)
    except UsageError as error:
        yield Mistake((*place, "model"), str(error))
    except (TypeError, ValueError):
        return  # no three whole numbers: the form says so


def _recipe_of(data: Raw, arm: Raw) -> Recipe | UsageError | None:
    """Return the recipe that an arm is trained by, why there is none, or None where the form says why."""
    name = _word(arm, "recipe") or _word(data, "recipe")
    changes = [*_listed(data.get("changes")), *_listed(arm.get("changes"))]
    try:
        return recipe_with(name, [str(change) for change in changes])
    except UsageError as error:
        return error
    except StopIteration:
        return None


def _alike(kind: str, data: Raw, arms: Sequence[tuple[Place, Raw]]) -> Iterator[Mistake]:
    names: set[str] = set()
    asked: dict[tuple[object, ...], str] = {}
    for place, arm in arms:
        name = _word(arm, "name") or _word(arm, "model")
        if name and name in names:
            yield Mistake(place, f"two arms are named {name}: give one of them a name")
        names.add(name)
        recipe = _recipe_of(data, arm)
        if kind != "trained" or not isinstance(recipe, Recipe):
            continue
        given = (
            _word(arm, "model"),
            _word(arm, "data") or _word(data, "data"),
            str(arm.get("precision", "fp32")),
            str(arm.get("processes", 1)),
        )
        other = asked.setdefault((recipe.name, *given), name)
        if other != name:
            yield Mistake(
                place, f"{name} asks the same as {other}: let recipe, changes, data or precision differ"
            )
