"""How far two learning curves lie apart, at the epochs that both have."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDistance:
    """The distance of one curve from another, in the unit of their values.

    Attributes:
        epochs: how many both have; `first` and `last` among them.
        area: between the curves, in value x epochs; straight lines join neighbouring epochs.
        mean: the area by the epochs it spans: the mean distance.
        signed: the same with its sign: positive where ours lies higher. It is as large as `mean` where one curve lies
            above the other throughout, and near zero where they cross to and fro.
        largest: the largest deviation, ours less theirs, with its sign.
        at: the epoch of it, the first of several.
    """

    epochs: int
    first: int
    last: int
    area: float
    mean: float
    signed: float
    largest: float
    at: int

    def said(self, scale: float = 1.0, unit: str = "") -> str:
        """Return the distance in words, values times `scale`: for a caption."""
        return (
            f"mean distance {scale * self.mean:.3g}{unit} over epochs {self.first} to {self.last} "
            f"(signed {scale * self.signed:+.3g}), largest {scale * self.largest:+.3g}{unit} at epoch {self.at}"
        )


def curve_distance(
    epochs: Sequence[int], values: Sequence[float], their_epochs: Sequence[int], their_values: Sequence[float]
) -> CurveDistance | None:
    """Return the distance of our curve from theirs; None where they have no epoch in common.

    Raises:
        ValueError: a curve has not one value for each epoch.
    """
    ours = dict(zip(epochs, values, strict=True))
    theirs = dict(zip(their_epochs, their_values, strict=True))
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        return None
    apart = [ours[epoch] - theirs[epoch] for epoch in common]
    steps = [
        (end - start, a, b) for start, end, a, b in zip(common, common[1:], apart, apart[1:], strict=False)
    ]
    span = common[-1] - common[0]
    area = sum(width * _between(a, b) for width, a, b in steps)
    signed = sum(width * (a + b) / 2 for width, a, b in steps)
    at = max(range(len(common)), key=lambda i: (abs(apart[i]), -i))
    return CurveDistance(
        epochs=len(common),
        first=common[0],
        last=common[-1],
        area=area,
        mean=area / span if span else abs(apart[0]),
        signed=signed / span if span else apart[0],
        largest=apart[at],
        at=common[at],
    )


def _between(a: float, b: float) -> float:
    """Return the mean distance over a step from `a` to `b`: two triangles where the curves cross."""
    if a * b < 0:
        return (a * a + b * b) / (2 * (abs(a) + abs(b)))
    return (abs(a) + abs(b)) / 2
