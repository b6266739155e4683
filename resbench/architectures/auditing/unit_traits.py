"""The traits of one unit: its convolutions, its order, its shortcut. No torch.

Widths are told relative to the unit's output, and a stride by the convolution that has it, so that one change of a
network changes one trait. A trait that a unit can't have is None.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction

from resbench.architectures.auditing.dataflow import does_nothing
from resbench.architectures.auditing.splitting import Token
from resbench.architectures.auditing.units import POOLS, Tokens, Unit
from resbench.architectures.auditing.words import bias, listed, pool, row, weighted_layers, window, word
from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind

_ASIDE = (Kind.DROPOUT, Kind.SCALE)
"""Told by traits of their own."""


def _block(unit: Unit) -> str:
    kernels = [window(layer) for layer in weighted_layers(unit.branch)]
    if unit.join in (None, Kind.ADD):
        return listed(kernels) or "no convolution"
    counts = ", ".join(f"{times} x {kernel}" for kernel, times in sorted(Counter(kernels).items()))
    return f"{unit.join} of {counts or 'no convolution'}"


def _inner_width(unit: Unit) -> str | None:
    widths = [layer.output_CHW[0] for layer in weighted_layers(unit.branch)[:-1]]
    if not widths or unit.join is not Kind.ADD:
        return None
    return f"{listed(str(Fraction(width, unit.channels)) for width in widths)} of the output"


def _groups(unit: Unit) -> str:
    return listed(str(layer.groups) for layer in weighted_layers(unit.branch) if layer.groups > 1) or "none"


def _stride(unit: Unit) -> str:
    return str(unit.stride)


def _stride_placement(unit: Unit) -> str | None:
    weights = weighted_layers(unit.branch)
    if unit.stride == 1 or len(weights) < 2:
        return None
    order = ("first", "second", "third")
    found = [
        f"on the {order[at] if at < len(order) else f'{at + 1}th'} convolution ({window(layer)})"
        for at, layer in enumerate(weights)
        if layer.stride > 1
    ]
    return " and ".join(found) or "on a pool"


def _bias(unit: Unit) -> str:
    return bias(unit.branch)


def _order(unit: Unit) -> str:
    """Return what Figure 4 of He et al. 2016 shows: before the split, on the branch, after the addition."""
    before, branch, after = (_plain(tokens) for tokens in (unit.before, unit.branch, unit.after))
    if unit.join is None:
        return "-".join(filter(None, (before, branch, after)))
    parts = [branch, "add"] if unit.join is Kind.ADD else [str(unit.join)]
    return ", ".join([*([before, "split"] if before else []), *parts, *([after] if after else [])])


def _plain(tokens: Tokens) -> str:
    shown = [token for token in tokens if token.kind not in _ASIDE and not token.gate]
    return row(shown) if shown else ""


def _shortcut(unit: Unit) -> str:
    if unit.shortcut is None:
        return "none"
    plain = [token for token in unit.shortcut if token.kind not in _ASIDE and not token.gate]
    if any(token.weighted for token in plain):
        return _with("projection", plain, (Kind.CONVOLUTION, Kind.LINEAR, Kind.BATCH_NORM))
    if any(token.kind is Kind.ZERO_PAD for token in plain):
        return _with("zero padding", plain, (Kind.ZERO_PAD, *POOLS))
    return row(plain) if plain else "identity"


def _with(name: str, tokens: list[Token], told: tuple[Kind, ...]) -> str:
    return ", ".join([name, *(word(token) for token in tokens if token.kind not in told)])


def _resizing_shortcut(unit: Unit) -> str | None:
    if not unit.resizes or unit.join not in (None, Kind.ADD):
        return None
    told = _shortcut(unit)
    return told + {"projection": " (option B)", "zero padding": " (option A)"}.get(told, "")


def _keeping_shortcut(unit: Unit) -> str | None:
    if unit.resizes or unit.join not in (None, Kind.ADD):
        return None
    told = _shortcut(unit)
    return told + (" (option C)" if told == "projection" else "")


def _padding(unit: Unit) -> list[Layer]:
    return [token.layer for token in unit.shortcut or () if token.kind is Kind.ZERO_PAD]


def _padding_side(unit: Unit) -> str | None:
    before = sum(layer.before for layer in _padding(unit))
    padded = unit.channels - unit.channels_in
    if not _padding(unit) or padded <= 0:
        return None
    if before in (0, padded):
        return f"all channels of zeros {'in front' if before else 'behind'}"
    return f"{Fraction(before, padded)} of the channels of zeros in front, the rest behind"


def _subsampling(unit: Unit) -> str | None:
    if not _padding(unit) or unit.stride == 1:
        return None
    pools = [
        token.layer for token in unit.shortcut or () if token.kind in POOLS and not does_nothing(token.layer)
    ]
    wide = [pool(layer) for layer in pools if layer.kernel > 1]
    return ", ".join(wide) or f"one pixel of {unit.stride}x{unit.stride}"


def _projection(unit: Unit) -> str | None:
    weights = weighted_layers(unit.shortcut or ())
    if not weights:
        return None
    told = listed(window(layer) + (" with bias" if layer.biases else "") for layer in weights)
    normed = any(token.kind is Kind.BATCH_NORM for token in unit.shortcut or ())
    return f"{told}, {'BN' if normed else 'no BN'}"


def _gate(unit: Unit) -> str:
    branch = [token.gate for token in unit.branch if token.gate]
    shortcut = [token.gate for token in unit.shortcut or () if token.gate]
    if not (branch or shortcut):
        return "none"
    where = "exclusive" if branch and shortcut else "shortcut-only" if shortcut else "on the branch only"
    told = [where, row((branch + shortcut)[0].tokens)]
    if not all(gate.complement for gate in shortcut):
        told.append("the shortcut times g instead of 1 - g")
    if any(gate.origin != unit.split for gate in branch + shortcut):
        told.append("not computed from the unit's input")
    return ", ".join(told)


def _scaling(unit: Unit) -> str:
    return _sides(unit, Kind.SCALE)


def _dropout(unit: Unit) -> str:
    return _sides(unit, Kind.DROPOUT)


def _sides(unit: Unit, kind: Kind) -> str:
    sides = {"branch": unit.branch, "shortcut": unit.shortcut or (), "sum": (*unit.before, *unit.after)}
    found = [
        f"on the {name}" for name, tokens in sides.items() if any(token.kind is kind for token in tokens)
    ]
    return " and ".join(found) or "none"


ORDER = "BN and ReLU order"

UNIT_TRAITS: Mapping[str, Callable[[Unit], str | None]] = {
    "block": _block,
    "inner width": _inner_width,
    "groups": _groups,
    "stride": _stride,
    "stride placement": _stride_placement,
    "convolution bias": _bias,
    ORDER: _order,
    "shortcut where the size changes": _resizing_shortcut,
    "shortcut where the size does not change": _keeping_shortcut,
    "padding side": _padding_side,
    "subsampling": _subsampling,
    "projection": _projection,
    "gate": _gate,
    "constant scaling": _scaling,
    "dropout": _dropout,
}
