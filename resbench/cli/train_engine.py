"""From options to the settings of an engine, checked."""

from typing import Any, get_args, get_type_hints

from resbench.errors import unknown
from resbench.specs import Engine


def engine_of(**settings: Any) -> Engine:
    """Return an engine with these settings.

    Raises:
        UsageError: a setting is none of those there are; the message names the nearest.
    """
    hints = get_type_hints(Engine)
    for name in ("memory_format", "feed", "allocator"):
        if settings[name] not in get_args(hints[name]):
            raise unknown(name.replace("_", " "), settings[name], get_args(hints[name]))
    return Engine(**settings)
