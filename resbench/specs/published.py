"""Published figures and their sources."""

import math
from dataclasses import dataclass
from typing import Literal

from resbench.results import Statistic, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a figure or a definition was published; `where` is the table, figure or section."""

    title: str
    where: str
    url: str

    def __post_init__(self) -> None:
        """Refuse a source that does not say what it is."""
        if not (self.title and self.where and self.url):
            raise ValueError(f"a source needs title, place and address: {self!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """Which views of a test picture a published accuracy was read from.

    Attributes:
        views: one crop from the middle, ten crops, or the whole picture at several sizes.
        sides: what the shorter side was scaled to, in pixels; several of `multi_scale` alone.
        crop: side of the crops; None: the whole picture.
    """

    views: Literal["center", "ten_crop", "multi_scale"]
    sides: tuple[int, ...]
    crop: int | None

    def __post_init__(self) -> None:
        """Refuse what no test sees."""
        if not self.sides or (self.views == "multi_scale") != (self.crop is None):
            raise ValueError(f"crops need a side, whole pictures at several sizes have none: {self!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published figure. It can't be built without its source, statistic and protocol.

    Attributes:
        metric: the name our own measurement of it has (`resbench.results.Measurement.metric`).
        value: in `unit`: a share for an accuracy or an error, bytes for a size; `nan` where the source prints 'fail'.
        printed: the figure as its source prints it ("97.492 MB", "fail"), for the reader and for rounding.
        decimals: how many decimals `printed` has, in the display unit: the digits that can be compared.
        protocol: how the figure came about, in one line.
        statistic: how it summarises `n` runs (mean, median, best); for one run, how that was read off.
        n: how many runs it summarises; None where the source does not say, which is judged as one.
        test_samples: how many test samples an accuracy was read from; None for other figures.
        std: the deviation from run to run that the source prints beside it, in `unit`.
        reading: how each of several runs was read off: at its last epoch or at its best. None: at its last.
        fails_beyond: the error, a share, beyond which the source calls a run failed (0.2 in He et al. 2016).
        failed: the source prints 'fail' in place of a number.
        margin: how far from it our figure may lie and still be the same for all purposes, in `unit`; None: by the rule
            of `resbench.statistics.margins`.
        tested: of an accuracy on pictures that were scaled, which views of them the test saw.
        unlike: in what its protocol is known to differ from that of the arm that shows it, or says nothing of: such a
            figure is shown and never judged.
    """

    metric: str
    value: float
    unit: Unit
    printed: str
    decimals: int
    statistic: Statistic
    protocol: str
    source: Source
    n: int | None = None
    test_samples: int | None = None
    std: float | None = None
    reading: Statistic | None = None
    fails_beyond: float | None = None
    failed: bool = False
    margin: float | None = None
    tested: Tested | None = None
    unlike: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a figure without a protocol, and a number where the source prints 'fail'."""
        if not (self.metric and self.printed and self.protocol):
            raise ValueError(f"a published figure needs metric, printed form and protocol: {self!r}")
        if self.failed != math.isnan(self.value) or (self.failed and self.fails_beyond is None):
            raise ValueError(
                f"a published 'fail' is no number (value nan) and says beyond which error: {self!r}"
            )
        if any(given is not None and given <= 0 for given in (self.std, self.margin, self.fails_beyond)):
            raise ValueError(f"deviation, margin and limit of failure are positive: {self!r}")

    @property
    def runs(self) -> int:
        """How many runs it is judged to summarise: one where the source does not say."""
        return self.n or 1

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower value is the better one: of an error and a loss it is."""
        return "error" in self.metric or self.metric.endswith("loss")

    @property
    def read_off(self) -> Statistic:
        """How the figure of each run was read off: a run's best epoch is not its last."""
        if self.reading is not None:
            return self.reading
        summary = self.statistic in (Statistic.MEAN, Statistic.MEDIAN) or self.runs > 1
        return Statistic.LAST if summary or self.statistic is Statistic.SINGLE else self.statistic
