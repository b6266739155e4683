"""Every check, in the order in which doubts are told."""

from typing import Final

from resbench.environment.doubts import clocks, gpus, means, sharing, software
from resbench.environment.doubts.doubt import Check, Doubt, Findings, Weight

CHECKS: Final[tuple[Check, ...]] = (
    *sharing.CHECKS,
    *clocks.CHECKS,
    *gpus.CHECKS,
    *software.CHECKS,
    *means.CHECKS,
)


def doubts(found: Findings) -> tuple[Doubt, ...]:
    """Return every reason to doubt what is measured here now: the warnings first, then the notes."""
    all_found = [doubt for check in CHECKS for doubt in check(found)]
    return tuple(sorted(all_found, key=lambda doubt: doubt.weight is not Weight.WARNING))
