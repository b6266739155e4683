"""Published learning curves that a suite ships as a CSV file, read from the package."""

from dataclasses import dataclass
from importlib import resources

from resbench.specs import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCurve:
    """One published line of one model.

    Attributes:
        phase: `train` or `test`.
        epochs: their numbers, from 1.
        loss: of each epoch.
        top1, top5: shares of each epoch.
    """

    model: str
    phase: str
    epochs: tuple[int, ...]
    loss: tuple[float, ...]
    top1: tuple[float, ...]
    top5: tuple[float, ...]


def published_curves(suite: Suite) -> tuple[PublishedCurve, ...]:
    """Return the suite's published curves; none where it ships none."""
    if not suite.curves:
        return ()
    import pandas as pd

    with (resources.files("resbench.suites") / suite.curves).open(encoding="utf-8") as file:
        rows = pd.read_csv(file)
    return tuple(
        PublishedCurve(
            model=str(model),
            phase=str(phase),
            epochs=tuple(curve["epoch"].tolist()),
            loss=tuple(curve["loss"].tolist()),
            top1=tuple((curve["top1_pct"] / 100).tolist()),
            top5=tuple((curve["top5_pct"] / 100).tolist()),
        )
        for (model, phase), curve in rows.groupby(["model", "phase"], sort=False)
    )
