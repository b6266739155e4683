"""Stored values are base units; this is the one place that scales and rounds them for display."""

import math

MIB = 2**20
MB = 10**6
GIGA = 10**9


def mebibytes(size_B: float) -> str:
    """Return a size in MiB (2**20 bytes) with the three decimals the VOC table prints."""
    return f"{size_B / MIB:.3f}"


def giga(count: float) -> str:
    """Return a count of operations in units of 1e9, with three decimals."""
    return f"{count / GIGA:.3f}"


def percent(share: float, digits: int = 2) -> str:
    """Return a share (0.9) as per cent (90.00 %)."""
    return f"{100 * share:.{digits}f} %"


def thousands(count: int) -> str:
    """Return a whole number with its groups of three apart: 25,557,032."""
    return f"{count:,}"


def duration(seconds: float) -> str:
    """Return a wall time as people say it: 4.2 s, 3 min 05 s, 2 h 14 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def decimals_for(half_width: float) -> int:
    """Return how many decimals a value deserves whose uncertainty is `half_width`: two digits of it at most.

    0.23 gives 2, 1.7 gives 1, 23 gives 0; an uncertainty of zero or none gives 3.
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    return max(0, 1 - math.floor(math.log10(half_width)))


def with_interval(value: float, low: float | None, high: float | None) -> str:
    """Return a value with its interval, both to no more digits than the interval supports, and to 7 at most."""
    if low is None or high is None:
        return f"{value:.3g}"
    digits = decimals_for((high - low) / 2)
    if value:
        digits = min(digits, max(0, 6 - math.floor(math.log10(abs(value)))))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
