"""Published figures and their sources."""

from dataclasses import dataclass

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
class Published:
    """One published figure. It can't be built without its source, statistic and protocol.

    Attributes:
        metric: the name our own measurement of it has (`resbench.results.Measurement.metric`).
        value: in `unit`: a share for an accuracy, bytes for a size.
        printed: the figure as its source prints it ("97.492 MB"), for the reader and for rounding.
        decimals: how many decimals `printed` has, in the display unit: the digits that can be compared.
        protocol: how the figure came about, in one line.
        n: how many runs it summarises; None where the source does not say.
        test_samples: how many test samples an accuracy was read from; None for other figures.
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

    def __post_init__(self) -> None:
        """Refuse a figure without a protocol."""
        if not (self.metric and self.printed and self.protocol):
            raise ValueError(f"a published figure needs metric, printed form and protocol: {self!r}")
