"""Which catalogued network the name of a model or file claims to be. No torch."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from resbench.architectures.auditing.auditing import Candidate, Finding
from resbench.architectures.description import Architecture

_OTHER_FAMILIES = {"preact", "act", "pre", "se", "wide", "wrn", "stem", "deform", "quantized"}
"""Words before a name that make it another's: `preact_resnet18` does not claim to be `resnet18`."""

_SHOWN = 3


def claimed(subject: str, catalogued: Mapping[str, Architecture]) -> str | None:
    """Return the catalogued network that a model's or file's name contains; None: none, or the name says how it differs.

    `resnet110` claims to be `cifar_resnet110`, where no network is called so.

    Args:
        subject: a file's path, or a model's name as it was asked for.
        catalogued: all networks, by name.
    """
    if "(" in subject:
        return None
    base, _, callable_name = subject.rpartition(":")
    parts = [callable_name, PurePath(base).stem] if base else [PurePath(subject).stem]
    found = (_contained(part, catalogued) for part in parts)
    return next(filter(None, found), None)


def _contained(text: str, catalogued: Mapping[str, Architecture]) -> str | None:
    words = "_" + re.sub(r"[^a-z0-9]+", "_", text.lower()) + "_"
    short = {name.removeprefix("cifar_"): name for name in catalogued if name.startswith("cifar_")}
    names = {**short, **{name: name for name in catalogued}}
    for name in sorted(names, key=len, reverse=True):
        spelt = re.sub(r"(?<=[a-z])(?=[0-9])", "_?", name.replace("_", "_?"))
        matched = re.search(f"_{spelt}_", words)
        before = words[: matched.start()].rpartition("_")[2] if matched else ""
        if matched and before not in _OTHER_FAMILIES:
            return names[name]
    return None


def contradiction(claim: str, subject: Candidate, finding: Finding) -> str:
    """Return a sentence on a name that says something else than was found.

    Args:
        claim: the catalogued network that the name claims to be.
        subject: that network, and where the audited one differs from it.
        finding: what was found.
    """
    names = " or ".join(match.name for match in finding.matches)
    verdict = f"it is {names}" if finding.exact else f"it is not: the nearest is {names}"
    shown = [
        f"{difference.trait}: {difference.found}, where {claim} has {difference.expected}"
        for difference in subject.differences[:_SHOWN]
    ]
    more = len(subject.differences) - len(shown)
    if more:
        shown.append(f"{more} more differences")
    if subject.parameters != finding.parameters:
        shown.append(f"{finding.parameters:,} parameters, where {claim} has {subject.parameters:,}")
    return f"the name says {claim}, but {verdict}; " + "; ".join(shown)
