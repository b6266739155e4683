"""Published learning curves that a suite ships as a CSV file, read from the package."""

import csv
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
    text = (resources.files("resbench.suites") / suite.curves).read_text(encoding="utf-8")
    lines: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        lines.setdefault((row["model"], row["phase"]), []).append(row)
    return tuple(
        PublishedCurve(
            model=model,
            phase=phase,
            epochs=tuple(int(row["epoch"]) for row in rows),
            loss=tuple(float(row["loss"]) for row in rows),
            top1=tuple(float(row["top1_pct"]) / 100 for row in rows),
            top5=tuple(float(row["top5_pct"]) / 100 for row in rows),
        )
        for (model, phase), rows in lines.items()
    )
