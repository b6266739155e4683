"""Small pictures of lines: the curves of one run, the sweep of a learning-rate finder. Equal figures, equal bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resbench.drawing import COLOURS, add_grid, canvas
from resbench.results import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKED_UP_TO = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its name in the legend and its points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        lines: those it shows.
        marks: upright lines, by what each is called.
        logarithmic: whether its x axis is.
    """

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    marks: dict[str, float] = field(default_factory=dict)
    logarithmic: bool = False


def run_panels(epochs: Sequence[Epoch]) -> tuple[Panel, Panel]:
    """Return loss and top-1 accuracy over the epochs, in training and where else it was tested."""

    def lines(name: str, scale: float) -> list[Line]:
        found = []
        for phase, called in (("train", "training"), ("validation", "validation"), ("test", "test")):
            passes = [(epoch.number, getattr(epoch, phase)) for epoch in epochs]
            known = [(number, scale * getattr(one, name)) for number, one in passes if one]
            if known:
                found.append(Line(name=called, x=[x for x, _ in known], y=[y for _, y in known]))
        return found

    return (
        Panel(title="Loss", x="epoch", y="loss", lines=lines("loss", 1.0)),
        Panel(title="Top-1 accuracy", x="epoch", y="top-1 accuracy, %", lines=lines("top1", 100.0)),
    )


def draw(panels: Sequence[Panel], title: str, *, form: str = "svg") -> bytes:
    """Return a picture of the panels side by side.

    Args:
        panels: one or more.
        title: above all of them.
        form: svg or png.
    """
    with canvas((1.5 + 4.5 * len(panels), 4.2), title, form=form) as drawn:
        for axes, panel in zip(drawn.figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _draw(axes, panel)
        drawn.figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return drawn.content


def _draw(axes: "Axes", panel: Panel) -> None:
    if panel.logarithmic:
        axes.set_xscale("log")
    for number, line in enumerate(panel.lines):
        # A curve of one point would be nothing without a marker.
        marker = "o" if len(line.x) <= _MARKED_UP_TO else ""
        axes.plot(
            line.x,
            line.y,
            label=line.name,
            color=COLOURS[number % len(COLOURS)],
            linewidth=1.0 if line.faint else 1.6,
            alpha=0.4 if line.faint else 1.0,
            marker=marker,
            markersize=4,
        )
    for number, (name, place) in enumerate(panel.marks.items(), start=len(panel.lines)):
        axes.axvline(place, color=COLOURS[number % len(COLOURS)], linestyle=":", linewidth=1.4, label=name)
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    add_grid(axes)
    axes.legend(frameon=False, fontsize=9)
