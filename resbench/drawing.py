"""The one way in which a picture is made: how it looks, and that equal figures give equal bytes. Imports nothing until it draws."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette, told apart by colour-blind readers."""

SETTINGS: Final[Any] = {
    "svg.hashsalt": "resbench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
"""For `matplotlib.rc_context`. Names of fonts are written into an SVG, and its ids come from a fixed salt."""

_DPI: Final = 150
"""Of a PNG."""


@dataclass(slots=True, kw_only=True)
class Canvas:
    """A figure to draw on, and the file's content that it became when drawing ended."""

    figure: "Figure"
    content: bytes = b""


@contextmanager
def canvas(
    size: tuple[float, float], title: str, *, form: str = "svg", **settings: object
) -> Iterator[Canvas]:
    """Give a figure to draw on; its `content` is there once the block ends.

    Args:
        size: width and height in inches.
        title: of the file, where its form has one; it is not drawn.
        form: svg or png.
        settings: matplotlib's that differ from `SETTINGS`, with `__` for each dot: `font__size=8`.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    own: Any = {name.replace("__", "."): value for name, value in settings.items()}
    with mpl.rc_context({**SETTINGS, **own}):
        drawn = Canvas(figure=Figure(figsize=size, layout="constrained", facecolor="white"))
        yield drawn
        written = io.BytesIO()
        # A date or the drawing library's version in the file would make equal pictures differ.
        metadata = {"Date": None, "Creator": "resbench", "Title": title} if form == "svg" else None
        drawn.figure.savefig(written, format=form, dpi=_DPI, metadata=metadata)
        drawn.content = written.getvalue()


def add_grid(axes: "Axes") -> None:
    """Draw a pale grid behind everything else."""
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
