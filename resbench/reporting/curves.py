"""Loss and accuracy over epochs, as SVG pictures that are the same bytes for the same results."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.drawing import COLOURS, Canvas, add_grid, canvas
from resbench.reporting.published_curves import published_curves
from resbench.reporting.selection import Selection, limits
from resbench.results import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PHASES = {"test": "test", "train": "training"}
"""The two panels of a picture, and what each is called."""

_MARKED_UP_TO = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What one picture shows. `field` is that of `resbench.results.Pass`, in the reading as published."""

    name: str
    field: str
    published: str
    title: str
    axis: str
    scale: float


QUANTITIES = (
    Quantity(name="loss", field="loss_of_batches", published="loss", title="Loss", axis="loss", scale=1.0),
    Quantity(
        name="top1",
        field="top1_of_batches",
        published="top1",
        title="Top-1 accuracy",
        axis="top-1 accuracy, %",
        scale=100.0,
    ),
    Quantity(
        name="top5",
        field="top5_of_batches",
        published="top5",
        title="Top-5 accuracy",
        axis="top-5 accuracy, %",
        scale=100.0,
    ),
)


def pictures(selection: Selection) -> dict[str, bytes]:
    """Return an SVG picture of each quantity by its file name; none where no epoch was trained."""
    if not any(result.epochs for results in selection.trained.values() for result in results):
        return {}
    return {f"{quantity.name}.svg": _drawn(quantity, selection) for quantity in QUANTITIES}


def shows_published(selection: Selection) -> bool:
    """Whether the published curves may be drawn: only behind a run that asked the same."""
    return bool(selection.suite.curves) and selection.first_trained is not None and not limits(selection)


@contextmanager
def drawing(title: str, label: str) -> Iterator[Canvas]:
    """Give a figure for two panels to draw on; its content is there once the block ends. `label` is drawn at its head."""
    with canvas((9.0, 4.0), title) as drawn:
        yield drawn
        _add_label(drawn.figure, label)


def _drawn(quantity: Quantity, selection: Selection) -> bytes:
    with drawing(f"{quantity.title}: {selection.suite.title}", limits(selection)) as drawn:
        panels = drawn.figure.subplots(1, len(PHASES), sharex=True, sharey=True)
        colours = {arm.id: COLOURS[i % len(COLOURS)] for i, arm in enumerate(selection.arms)}
        for axes, phase in zip(panels, PHASES, strict=True):
            _draw_panel(axes, quantity, phase, selection, colours)
        panels[0].set_ylabel(quantity.axis)
        _add_legend(drawn.figure, selection, colours)
    return drawn.content


def _draw_panel(
    axes: "Axes", quantity: Quantity, phase: str, selection: Selection, colours: Mapping[str, str]
) -> None:
    from matplotlib.ticker import MaxNLocator

    if shows_published(selection):
        for curve in published_curves(selection.suite):
            if curve.model in colours and curve.phase == phase:
                values = [quantity.scale * value for value in getattr(curve, quantity.published)]
                name = f"published-{curve.model}-{phase}"
                axes.plot(curve.epochs, values, color=colours[curve.model], lw=5, alpha=0.25, gid=name)
    for model, results in selection.trained.items():
        for result in results:
            name = f"{model}-seed{result.experiment['seed']}-{phase}"
            _draw_run(axes, quantity, phase, result.epochs, color=colours[model], gid=name)
    axes.set_title(f"{quantity.title}, {PHASES[phase]}", loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_grid(axes)


def _draw_run(
    axes: "Axes", quantity: Quantity, phase: str, epochs: Sequence[Epoch], *, color: str, gid: str
) -> None:
    seen = [(epoch.number, found) for epoch in epochs if (found := getattr(epoch, phase)) is not None]
    values = [quantity.scale * getattr(found, quantity.field) for _, found in seen]
    # A curve of one epoch is a point, and would be nothing without a marker.
    marker = "o" if len(values) <= _MARKED_UP_TO else ""
    numbers = [number for number, _ in seen]
    axes.plot(numbers, values, color=color, linewidth=1.5, marker=marker, markersize=4, gid=gid)


def _add_label(figure: "Figure", text: str) -> None:
    import textwrap

    if text:
        wrapped = "\n".join(textwrap.wrap(text, 100))
        figure.suptitle(wrapped, x=0.01, ha="left", fontsize=9.5, color="#8b0000", gid="label")


def _add_legend(figure: "Figure", selection: Selection, colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for arm in selection.arms:
        label = arm.label if arm.id in selection.trained else f"{arm.label} (not run)"
        handles.append(Line2D([], [], color=colours[arm.id], linewidth=2, label=label))
    if shows_published(selection):
        handles.append(Line2D([], [], color="#444444", linewidth=5, alpha=0.25, label="published"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
