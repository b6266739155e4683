"""From what a network answered to figures with intervals: accuracies, loss, each class, confusion."""

from collections.abc import Sequence
from typing import NamedTuple

from resbench.datasets.labelled import Labelled
from resbench.results import Measurement, Statistic, Unit
from resbench.statistics.clustered import Estimate, mean_of, mean_share_of, share_of
from resbench.trial.evaluating import TOP, Answers


class Findings(NamedTuple):
    """All that an evaluation found.

    Attributes:
        overall: top-1, top-5 (with more than five classes), the mean of the classes' accuracies, loss.
        by_class: accuracy of each class that has samples, by its name.
        confusion_KK: how many samples of each class (row) were taken for each (column).
        pictures: how many the samples were cut from.
    """

    overall: tuple[Measurement, ...]
    by_class: dict[str, Measurement]
    confusion_KK: tuple[tuple[int, ...], ...]
    pictures: int


def findings(answers: Answers, data: Labelled) -> Findings:
    """Return the figures; their intervals count the samples of one picture as one draw."""
    pictures = [data.pictures[position] for position in answers.positions]
    right = [place == 0 for place in answers.places]
    overall = [_measured("top1", share_of(right, pictures))]
    if len(data.classes) > TOP:
        overall.append(_measured("top5", share_of([place < TOP for place in answers.places], pictures)))
    overall.append(_measured("mean_class_accuracy", mean_share_of(right, answers.labels, pictures)))
    overall.append(_measured("loss", mean_of(answers.losses, pictures), Statistic.MEAN))
    return Findings(
        overall=tuple(overall),
        by_class=_by_class(right, answers.labels, pictures, data.classes),
        confusion_KK=confusion(answers.labels, answers.predicted, len(data.classes)),
        pictures=len(set(pictures)),
    )


def _by_class(
    right: Sequence[bool], labels: Sequence[int], pictures: Sequence[int], classes: Sequence[str]
) -> dict[str, Measurement]:
    found = {}
    for label, name in enumerate(classes):
        inside = [i for i, found_label in enumerate(labels) if found_label == label]
        if inside:
            estimate = share_of([right[i] for i in inside], [pictures[i] for i in inside])
            found[name] = _measured("accuracy", estimate)
    return found


def confusion(labels: Sequence[int], predicted: Sequence[int], classes: int) -> tuple[tuple[int, ...], ...]:
    """Return how many samples of each class, a row, were taken for each, a column."""
    counts = [[0] * classes for _ in range(classes)]
    for label, found in zip(labels, predicted, strict=True):
        counts[label][found] += 1
    return tuple(map(tuple, counts))


def _measured(metric: str, estimate: Estimate, statistic: Statistic = Statistic.SINGLE) -> Measurement:
    interval = estimate.interval
    how = (
        "each sample a draw"
        if estimate.clusters == estimate.n
        else f"clustered: {estimate.clusters} pictures"
    )
    return Measurement(
        metric=metric,
        value=estimate.value,
        unit=Unit.ONE,
        statistic=statistic,
        n=estimate.n,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        method=how,
    )
