"""Which network a name stands for: a catalogued one, one of its aliases, or one with other choices. No torch.

`resnet50` is catalogued; `resnet50(stride_on_1x1=yes)` and `cifar_resnet20(depth=14,width=32)` are the same forms with
other choices. `torchvision:resnet50` and the like are networks from outside, which `resbench.models.outside` opens.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from resbench import catalog
from resbench.architectures.choosing import chosen
from resbench.architectures.description import Architecture
from resbench.errors import UsageError, unknown

_CLOSING = {"(": ")", "[": "]", "{": "}"}
OUTSIDE = "torchvision:NAME, timm:NAME, package.module:callable or path/to/file.py:callable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """A model as it was asked for.

    Attributes:
        base: `resnet50`, `torchvision:resnet50`, `package.module:callable`, `path/to/file.py:callable`.
        arguments: what stands in parentheses behind it, as text.
    """

    base: str
    arguments: Mapping[str, str]

    @property
    def is_outside(self) -> bool:
        """Whether the network is not one of ours."""
        return ":" in self.base

    def __str__(self) -> str:
        """Return the name in one spelling."""
        told = ",".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.base}({told})" if told else self.base


def parse_model(text: str) -> ModelName:
    """Return base and arguments of `NAME` or `NAME(key=value,key=value)`.

    A comma inside brackets or quotes belongs to its value: `net.py:make(sizes=(64,128),name="a,b")`.

    Raises:
        UsageError: the text is neither, or an argument stands twice.
    """
    base, inside = _parenthesised(text)
    # A folder may have parentheses in its name, a network can't.
    if not base or (":" not in base and re.search(r"[()]", base)):
        raise UsageError(f"model '{text}' is not NAME or NAME(key=value,...), as in resnet50(shortcut=C)")
    arguments: dict[str, str] = {}
    for argument in split_list(inside):
        key, _, value = (part.strip() for part in argument.partition("="))
        if not (key.isidentifier() and value):
            raise UsageError(f"model '{text}': '{argument}' is not key=value, as in resnet50(shortcut=C)")
        if key in arguments:
            raise UsageError(f"model '{text}': '{key}' is given twice")
        arguments[key] = value
    return ModelName(base=base, arguments=arguments)


def split_list(text: str) -> list[str]:
    """Return the parts between commas, without those that are empty; brackets and quotes keep their commas."""
    commas = [at for at, char, depth in _outside_quotes(text, depth=1) if char == "," and depth == 1]
    ends = zip([-1, *commas], [*commas, len(text)], strict=True)
    parts = (text[before + 1 : end].strip() for before, end in ends)
    return [part for part in parts if part]


def _parenthesised(text: str) -> tuple[str, str]:
    """Return what stands before the parentheses that end the text, and what stands in them.

    An empty base says that the text has neither form.
    """
    stripped = text.strip()
    if not stripped.endswith(")"):
        return (stripped if _is_balanced(stripped) else ""), ""
    opened = [at for at, char, depth in _outside_quotes(stripped) if char == "(" and depth == 1]
    if not opened or not _is_balanced(stripped):
        return "", ""
    return stripped[: opened[-1]].strip(), stripped[opened[-1] + 1 : -1]


def _is_balanced(text: str) -> bool:
    depth = 0
    for _, _, depth in _outside_quotes(text):
        if depth < 0:
            return False
    return depth == 0


def _outside_quotes(text: str, depth: int = 0) -> Iterator[tuple[int, str, int]]:
    """Return each character that is in no quotes, with its place and how many brackets are open after it.

    Quotes count inside brackets alone: a folder's name may hold an apostrophe. `depth` brackets are open at the start.
    """
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and depth:
            quote = char
        else:
            depth += (char in _CLOSING) - (char in _CLOSING.values())
            yield at, char, depth


def find_architecture(name: str) -> Architecture:
    """Return the architecture that `name` stands for.

    Raises:
        UsageError: there is none, and the message names the nearest; or a choice can't be made.
    """
    asked = parse_model(name)
    found = _catalogued(asked)
    return chosen(found, asked.arguments) if asked.arguments else found


def _catalogued(asked: ModelName) -> Architecture:
    architectures: Mapping[str, Architecture] = catalog.gather("architectures", "ARCHITECTURES")
    name = asked.base
    if name in architectures:
        return architectures[name]
    by_alias = {alias: found for found in architectures.values() for alias in found.aliases}
    if name in by_alias:
        return by_alias[name]
    raise _not_catalogued(asked, [*architectures, *by_alias])


def _not_catalogued(asked: ModelName, known: list[str]) -> UsageError:
    name = asked.base
    if asked.is_outside:
        return UsageError(f"model '{name}' is none of ours: choose one that 'resbench list models' shows")
    if "/" in name or name.endswith(".py"):
        return UsageError(
            f"model '{name}' is a file: say which function or class in it makes the network, as in {name}:make"
        )
    if difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5):
        return unknown("model", name, known)
    return UsageError(f"unknown model '{name}': 'resbench list models' shows ours; others are {OUTSIDE}")
