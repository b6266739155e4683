"""How a network's tree is shown: for a person with lines of branches, for a program nested or one record a part."""

from collections.abc import Iterator, Sequence
from math import floor, isinf, isnan

from resbench.architectures.receptive_field import Field
from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.show_parts import Part, by, parts_of, walked
from resbench.models.layering import Layered

_HEADINGS = ("part", "output", "parameters", "MACs", "share", "field", "stride", "layer")
_LEFT = {"part", "layer"}


def print_shown(shown: Layered, depth: int | None, remarks: Sequence[str], output: Format) -> None:
    """Print a network on standard output.

    Args:
        shown: the network.
        depth: how many levels of the tree.
        remarks: what else there is to say.
        output: how.
    """
    parts = parts_of(shown, depth)
    if output is Format.JSON:
        print_json(as_json(shown, parts, remarks))
    elif output is Format.TABLE:
        print_line("\n".join(_lines(shown, parts, remarks)))
    else:
        if output is Format.MARKDOWN:
            print_line(f"**{_title(shown)}**\n")
        print_records([_record(part, _core(shown)) for part in walked(parts)], output)
        if output is Format.MARKDOWN:
            print_line("\n" + "\n".join(f"* {line}" for line in _remarks(shown, parts, remarks)))


def _core(shown: Layered) -> int:
    return sum(layer.macs for layer in shown.layers)


# --- for a program


def as_json(shown: Layered, parts: Sequence[Part], remarks: Sequence[str]) -> dict[str, object]:
    """Return the tree in base units, under keys that stay."""
    core = _core(shown)
    return {
        "model": shown.name,
        "input": "x".join(map(str, shown.input_CHW)),
        "output": list(shown.output_shape),
        "parameters": shown.parameters,
        "core_macs": core,
        "unpriced": sorted({name for part in parts for name in part.unpriced}),
        "notes": [*shown.notes, *remarks],
        "parts": [_nested(part, core) for part in parts],
    }


def _nested(part: Part, core: int) -> dict[str, object]:
    return {
        "name": part.name,
        **{key: value for key, value in _record(part, core).items() if key not in ("depth", "output")},
        "output": list(part.output),
        "unpriced": list(part.unpriced),
        "parts": [_nested(child, core) for child in part.children],
    }


def _record(part: Part, core: int) -> Record:
    return {
        "depth": part.level,
        "path": part.path,
        "layer": part.what,
        "output": "x".join(map(str, part.output)),
        "parameters": part.parameters,
        "core_macs": part.macs,
        "share": round(part.macs / core, 6) if core else None,
        "receptive_field": _side(part.field),
        "stride": _jump(part.field),
    }


def _side(field: Field) -> int | str | None:
    """Return the side in pixels; "whole picture"; None where it can't be told or there is none."""
    if isinf(field.side):
        return "whole picture" if field.side > 0 else None
    return None if isnan(field.side) else floor(field.side + 1e-6)


def _jump(field: Field) -> int | float | None:
    if not field.is_known:
        return None
    return round(field.jump) if field.jump == round(field.jump) else round(field.jump, 3)


# --- for a person


def _lines(shown: Layered, parts: Sequence[Part], remarks: Sequence[str]) -> Iterator[str]:
    core = _core(shown)
    rows = [_HEADINGS, *(_cells(part, core) for part in walked(parts))]
    total = ("total", by(shown.output_shape), f"{shown.parameters:,}", f"{core:,}", "", "", "", "")
    widths = [max(map(len, column)) for column in zip(*rows, total, strict=True)]
    rule = "  ".join("-" * width for width in widths)
    yield _title(shown)
    yield ""
    yield _aligned(rows[0], widths)
    yield rule
    yield from (_aligned(row, widths) for row in rows[1:])
    yield rule
    yield _aligned(total, widths)
    said = list(_remarks(shown, parts, remarks))
    yield from ["", *said] if said else []


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if heading in _LEFT else cell.rjust(width)
        for heading, cell, width in zip(_HEADINGS, cells, widths, strict=True)
    ).rstrip()


def _cells(part: Part, core: int) -> tuple[str, ...]:
    side, jump = _side(part.field), _jump(part.field)
    macs = f"{part.macs:,}" + (" + ?" if part.unpriced else "")
    return (
        _branch(part) + part.name,
        by(part.output),
        f"{part.parameters:,}",
        macs,
        f"{100 * part.macs / core:.1f} %" if core else "",
        "whole" if isinstance(side, str) else "?" if side is None else f"{side:,}",
        "" if jump is None else f"{jump:,}",
        part.what,
    )


def _branch(part: Part) -> str:
    if not part.last:
        return ""
    above = "".join("   " if last else "│  " for last in part.last[:-1])
    return above + ("└─ " if part.last[-1] else "├─ ")


def _title(shown: Layered) -> str:
    return f"{shown.name}: input {by(shown.input_CHW)}, output {by(shown.output_shape)}"


def _remarks(shown: Layered, parts: Sequence[Part], remarks: Sequence[str]) -> Iterator[str]:
    unpriced = sorted({name for part in parts for name in part.unpriced})
    if unpriced:
        yield f"Not priced, and in no sum: {', '.join(unpriced)}."
    yield from (f"{note[0].upper()}{note[1:].removesuffix('.')}." for note in shown.notes)
    yield from remarks
    if shown.architecture is not None:
        source = shown.architecture.source
        yield f"Defined in {source.title}, {source.where}; {source.url}"
