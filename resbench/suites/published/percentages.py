"""Errors and accuracies as sources print them: in per cent, with their decimals."""

import math
from dataclasses import dataclass

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source, Tested

CIFAR_TEST = 10_000
IMAGENET_VALIDATION = 50_000

ONE_CROP = Tested(views="center", sides=(256,), crop=224)
"""The usual test of ImageNet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the figures of one published table share.

    Attributes:
        metric: of each figure.
        statistic, n: how each figure summarises its runs.
        fails_beyond: the error beyond which the source prints 'fail'.
        tested, unlike: as in `Published`.
    """

    source: Source
    protocol: str
    test_samples: int
    metric: str = "top1_error"
    statistic: Statistic = Statistic.SINGLE
    n: int | None = None
    fails_beyond: float | None = None
    tested: Tested | None = None
    unlike: tuple[str, ...] = ()

    def figure(self, percent: str, *, std: str = "", metric: str = "") -> Published:
        """Return the figure that is printed as `percent`, or as 'fail'.

        Args:
            percent: as printed, without its sign: "8.75".
            std: the deviation printed beside it, in points.
            metric: where it differs from the table's.
        """
        failed = percent == "fail"
        return Published(
            metric=metric or self.metric,
            value=math.nan if failed else float(percent) / 100,
            unit=Unit.ONE,
            printed=percent if failed else f"{percent}%",
            decimals=2 if failed else len(percent.partition(".")[2]),
            statistic=self.statistic,
            protocol=self.protocol,
            source=self.source,
            n=self.n,
            test_samples=self.test_samples,
            std=float(std) / 100 if std else None,
            fails_beyond=self.fails_beyond,
            failed=failed,
            tested=self.tested,
            unlike=self.unlike,
        )

    def errors(self, top1: str, top5: str = "") -> tuple[Published, ...]:
        """Return the top-1 error and, where it is printed, the top-5 error."""
        found = (self.figure(top1, metric="top1_error"),)
        return (*found, self.figure(top5, metric="top5_error")) if top5 else found
