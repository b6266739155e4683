"""Gathers what is defined one file a thing: each module of a package ends in one visible tuple or value.

`gather("architectures", "ARCHITECTURES")` reads that tuple from every module of `resbench.architectures` that has it,
by name and in the order of the module names. Nothing registers itself, and nothing depends on import order.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any

from resbench.errors import unknown


def _modules(package: str) -> Iterator[Any]:
    parent = importlib.import_module(f"resbench.{package}")
    for module in sorted(pkgutil.iter_modules(parent.__path__), key=lambda found: found.name):
        yield importlib.import_module(f"resbench.{package}.{module.name}")


@cache
def gather(package: str, attribute: str) -> dict[str, Any]:
    """Return every entry of `attribute` (a tuple, or one value) in the modules of `package`, by its `name`.

    Raises:
        ValueError: two entries have one name.
    """
    found: dict[str, Any] = {}
    for module in _modules(package):
        entries = getattr(module, attribute, ())
        for entry in entries if isinstance(entries, tuple) else (entries,):
            if entry.name in found:
                raise ValueError(f"two entries of {attribute} are named '{entry.name}'")
            found[entry.name] = entry
    return found


def find(kind: str, package: str, attribute: str, name: str) -> Any:
    """Return the entry called `name`.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    entries = gather(package, attribute)
    if name not in entries:
        raise unknown(kind, name, entries)
    return entries[name]
