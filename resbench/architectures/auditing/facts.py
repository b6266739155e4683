"""What the weights of a checkpoint tell of its network, in words. No torch."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from resbench.architectures.auditing.state import BATCH_NORM, CONVOLUTION, LINEAR, Held
from resbench.architectures.auditing.words import listed

_COLOURS = 4
"""A convolution of more channels than that sees no picture."""


def facts_of(held: Sequence[Held]) -> dict[str, str]:
    """Return what can be told of a network from its weights, in words."""
    convolutions = [one for one in held if one.kind == CONVOLUTION]
    linear = [one for one in held if one.kind == LINEAR]
    norms = Counter(one.shape[0] for one in held if one.kind == BATCH_NORM)
    branch = [one for one in convolutions if not one.on_shortcut]
    stem = next((one for one in branch if one.shape[1] <= _COLOURS), None)
    biased = sum(one.bias for one in convolutions)
    return {
        "depth": f"{len(branch) + len(linear)} layers",
        "width": ", ".join(map(str, sorted({one.shape[0] for one in branch if one is not stem}))) or "none",
        "stem": _kernel(stem) if stem else "none",
        "kernels": ", ".join(sorted({f"{one.shape[2]}x{one.shape[3]}" for one in branch})),
        "groups": ", ".join(sorted(_groups(branch))) or "none",
        "projections": listed(map(_kernel, (one for one in convolutions if one.on_shortcut))) or "none",
        "convolution bias": f"in {biased} of {len(convolutions)}" if biased else "no",
        "batch norms": ", ".join(f"{norms[width]} of {width}" for width in sorted(norms)) or "none",
        "linear layers": str(len(linear)),
    }


def _kernel(held: Held) -> str:
    out, into, height, width = held.shape
    return f"{height}x{width} from {into} to {out}"


def _groups(convolutions: Sequence[Held]) -> set[str]:
    """Return the groups of convolutions that take fewer channels than the one before them in their module gives."""
    found = set()
    for before, one in pairwise(convolutions):
        beside = before.path.rpartition(".")[0] == one.path.rpartition(".")[0]
        groups, rest = divmod(before.shape[0], one.shape[1])
        if beside and groups > 1 and not rest:
            found.add(str(groups))
    return found
