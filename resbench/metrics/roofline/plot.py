"""A picture of the roofline: the roof of a machine, and each layer of a network under it. No torch."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.architectures.plan import Kind
from resbench.drawing import COLOURS as PALETTE
from resbench.drawing import add_grid, canvas
from resbench.errors import UsageError
from resbench.metrics.roofline.breakdown import Line
from resbench.metrics.roofline.roof import Roof

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = (Kind.CONVOLUTION, Kind.LINEAR, Kind.BATCH_NORM, Kind.RELU, Kind.ADD)
COLOURS = dict(zip(_KINDS, PALETTE, strict=False))
OTHER = "#7f7f7f"
LABELLED = 5
"""Layers that are named: those that take longest."""

_FORMATS = (".svg", ".png")


def check_picture_file(file: Path) -> Path:
    """Return the file, if a picture can be written there; to be asked before anything is measured.

    Raises:
        UsageError: it can't.
    """
    if file.suffix not in _FORMATS:
        raise UsageError(f"'{file}' is not the name of a picture: give one that ends in .svg or .png")
    if file.is_dir() or not file.parent.is_dir():
        raise UsageError(f"no picture can be written to '{file}': give a file in a folder that exists")
    return file


def write_picture(file: Path, lines: Sequence[Line], roof: Roof, title: str) -> None:
    """Write the picture.

    Raises:
        UsageError: it can't be written there.
    """
    content = picture(lines, roof, title, form=check_picture_file(file).suffix[1:])
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"no picture can be written to '{file}': {error}") from error


def picture(lines: Sequence[Line], roof: Roof, title: str, *, form: str = "svg") -> bytes:
    """Return a picture of the layers that compute something and were measured; the same bytes for the same lines.

    Args:
        lines: a line for each layer.
        roof: of the machine.
        title: says which network, machine and precision.
        form: svg or png.
    """
    shown = [line for line in lines if line.cost.flops and line.seconds]
    with canvas((9.0, 5.5), title, form=form) as drawn:
        axes = drawn.figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        _draw_roof(axes, roof, [line.cost.intensity for line in shown])
        _draw_layers(axes, shown)
        _name_layers(axes, shown)
        axes.set_xlabel("arithmetic intensity, FLOP/B (each layer alone, nothing fused)")
        axes.set_ylabel("GFLOP/s")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        add_grid(axes)
        if shown:
            axes.legend(loc="lower right", framealpha=0.9, facecolor="white", edgecolor="none", fontsize=9)
    return drawn.content


def _draw_roof(axes: "Axes", roof: Roof, intensities: Sequence[float]) -> None:
    first = min([*intensities, roof.ridge]) / 2
    last = max([*intensities, roof.ridge]) * 3
    ends = (first, roof.ridge, last)
    axes.plot(ends, [roof.attainable(end) / 1e9 for end in ends], color="#222222", lw=1.8, gid="roof")
    axes.axvline(roof.ridge, color="#222222", linewidth=0.8, linestyle=":")
    axes.annotate(
        f"{roof.peak / 1e9:,.0f} GFLOP/s",
        (last, roof.peak / 1e9),
        xytext=(0, 5),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    axes.annotate(
        f"{roof.bandwidth / 1e9:,.1f} GB/s",
        (roof.ridge / 3, roof.peak / 3e9),
        xytext=(-8, 2),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    axes.annotate(
        f"ridge {roof.ridge:,.3g} FLOP/B",
        (roof.ridge, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )


def _draw_layers(axes: "Axes", lines: Sequence[Line]) -> None:
    kinds = {kind: str(kind) for kind in COLOURS}
    groups: dict[str, list[Line]] = {name: [] for name in (*kinds.values(), "other")}
    for line in lines:
        groups[kinds.get(line.cost.kind, "other")].append(line)
    colours = {name: COLOURS[kind] for kind, name in kinds.items()} | {"other": OTHER}
    for name, some in groups.items():
        if some:
            axes.scatter(
                [line.cost.intensity for line in some],
                [(line.rate or 0.0) / 1e9 for line in some],
                # The area says how much of the time a layer takes.
                s=[15 + 3000 * (line.share or 0.0) for line in some],
                color=colours[name],
                alpha=0.6,
                linewidths=0,
                label=f"{name} ({len(some)}, {sum(line.share or 0.0 for line in some):.0%} of the time)",
                gid=f"layers-{name.replace(' ', '-')}",
            )


def _name_layers(axes: "Axes", lines: Sequence[Line]) -> None:
    longest = sorted(lines, key=lambda line: line.seconds or 0.0, reverse=True)[:LABELLED]
    for neighbours in _neighbours(longest):
        axes.annotate(
            "\n".join(line.name for line in neighbours),
            (neighbours[0].cost.intensity, (neighbours[0].rate or 0.0) / 1e9),
            xytext=(-10, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=7.5,
            color="#333333",
        )


def _neighbours(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the layers in groups whose points lie so near each other that their names would cover one another."""
    groups: list[list[Line]] = []
    for line in lines:
        place = math.log10(line.cost.intensity), math.log10(line.rate or 1.0)
        for group in groups:
            first = math.log10(group[0].cost.intensity), math.log10(group[0].rate or 1.0)
            if abs(place[0] - first[0]) < 0.6 and abs(place[1] - first[1]) < 0.12:
                group.append(line)
                break
        else:
            groups.append([line])
    return groups
