"""Errors and loss over epochs, one colour an arm and one line a seed, as SVG pictures that are always the same bytes."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resbench.drawing import COLOURS, add_grid
from resbench.reporting.curves import drawing, shows_published
from resbench.reporting.published_curves import published_curves
from resbench.reporting.selection import Selection, limits
from resbench.results import Pass, Result
from resbench.statistics.curve_distance import curve_distance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = ("solid", "dashed", "dotted")
_PHASES = {"test": "test", "train": "training"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What one picture shows."""

    name: str
    title: str
    axis: str

    def of(self, seen: Pass) -> float:
        """Return its value in one pass."""
        return seen.loss if self.name == "loss" else 100 * (1 - seen.top1)


QUANTITIES = (
    Quantity(name="loss", title="Loss", axis="loss"),
    Quantity(name="error", title="Top-1 error", axis="top-1 error, %"),
)


def arm_pictures(selection: Selection) -> dict[str, bytes]:
    """Return an SVG picture of each quantity by its file name; none where no epoch was trained."""
    if not any(result.epochs for results in selection.trained.values() for result in results):
        return {}
    return {f"{quantity.name}.svg": _drawn(quantity, selection) for quantity in QUANTITIES}


def distances(selection: Selection, field: str = "top1") -> list[str]:
    """Return how far the mean of our curves lies from each published one, where those may be shown.

    Args:
        selection: the runs.
        field: of `resbench.results.Pass`, in the reading of the published curves.
    """
    if not shows_published(selection):
        return []
    lines = []
    for curve in published_curves(selection.suite):
        arm = next((arm for arm in selection.arms if arm.model == curve.model), None)
        ours = _mean_accuracy(selection.trained.get(arm.id, ()) if arm else (), curve.phase, field)
        found = curve_distance(list(ours), list(ours.values()), curve.epochs, curve.top1)
        if arm and found:
            lines.append(
                f"{arm.label}, top-1 accuracy in {_PHASES[curve.phase]}, ours and the published curve: "
                f"{found.said(100.0, ' points')}."
            )
    return lines


def _mean_accuracy(runs: Sequence[Result], phase: str, field: str) -> dict[int, float]:
    """Return the mean top-1 accuracy over runs, by epoch."""
    seen: dict[int, list[float]] = {}
    for result in runs:
        for epoch in result.epochs:
            passed: Pass | None = getattr(epoch, phase)
            if passed is not None:
                seen.setdefault(epoch.number, []).append(getattr(passed, field))
    return {number: statistics.fmean(values) for number, values in seen.items()}


def _drawn(quantity: Quantity, selection: Selection) -> bytes:
    looks = {
        arm.id: {"color": COLOURS[i % len(COLOURS)], "linestyle": _STYLES[i // len(COLOURS) % len(_STYLES)]}
        for i, arm in enumerate(selection.arms)
    }
    with drawing(f"{quantity.title}: {selection.suite.title}", limits(selection)) as drawn:
        panels = drawn.figure.subplots(1, len(_PHASES), sharex=True, sharey=True)
        for axes, phase in zip(panels, _PHASES, strict=True):
            _draw_panel(axes, quantity, phase, selection, looks)
        panels[0].set_ylabel(quantity.axis)
        _add_legend(drawn.figure, selection, looks)
    return drawn.content


def _draw_panel(
    axes: "Axes", quantity: Quantity, phase: str, selection: Selection, looks: Mapping[str, Mapping[str, Any]]
) -> None:
    from matplotlib.ticker import MaxNLocator

    if shows_published(selection):
        for curve in published_curves(selection.suite):
            arm = next((arm for arm in selection.arms if arm.model == curve.model), None)
            if arm and curve.phase == phase:
                values = (
                    curve.loss if quantity.name == "loss" else [100 * (1 - share) for share in curve.top1]
                )
                axes.plot(
                    curve.epochs, values, lw=5, alpha=0.25, gid=f"published-{arm.id}-{phase}", **looks[arm.id]
                )
    for arm in selection.arms:
        for result in selection.trained.get(arm.id, ()):
            seen = [(epoch.number, getattr(epoch, phase)) for epoch in result.epochs]
            points = [(number, quantity.of(found)) for number, found in seen if found is not None]
            if points:
                marker = "o" if len(points) <= 15 else ""
                gid = f"{arm.id}-seed{result.experiment['seed']}-{phase}"
                axes.plot(
                    *zip(*points, strict=True), lw=1.3, marker=marker, markersize=4, gid=gid, **looks[arm.id]
                )
    axes.set_title(f"{quantity.title}, {_PHASES[phase]}", loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_grid(axes)


def _add_legend(figure: Any, selection: Selection, looks: Mapping[str, Mapping[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linewidth=2,
            label=f"{arm.label}{'' if arm.id in selection.trained else ' (not run)'}",
            **looks[arm.id],
        )
        for arm in selection.arms
    ]
    if shows_published(selection):
        handles.append(Line2D([], [], color="#444444", linewidth=5, alpha=0.25, label="published"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
