"""How every picture looks, and that equal figures give equal bytes: settings for matplotlib, and colours. Imports nothing."""

from typing import Any, Final

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
