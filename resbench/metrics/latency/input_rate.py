"""How fast pictures are prepared for training: images a second of whatever yields batches, timed batch by batch."""

import time
from collections.abc import Callable, Iterable, Sized

from resbench.metrics.latency.intervals import median_over_processes
from resbench.results import Measurement, Statistic, Unit

_LEAST_BATCHES = 5


def input_rate(
    batches: Iterable[Sized],
    how: str,
    *,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Measurement:
    """Return the images a second of an input pipeline, with the interval of their median.

    Args:
        batches: yields one batch of pictures after the other, prepared when it is asked for.
        how: says which pipeline, for the reader.
        seconds: of preparing, at least, unless the batches end before; five batches are timed in any case.
        clock: in seconds.

    Raises:
        ValueError: there are fewer than two batches: the first, in which files and code are opened, is not timed.
    """
    prepared = iter(batches)
    next(prepared, None)
    rates: list[float] = []
    begin = before = clock()
    for batch in prepared:
        now = clock()
        rates.append(len(batch) / (now - before))
        if len(rates) >= _LEAST_BATCHES and now - begin >= seconds:
            break
        before = clock()
    if not rates:
        raise ValueError("an input rate takes two batches")
    found = median_over_processes([rates])
    return Measurement(
        metric="input_rate",
        value=found.value,
        unit=Unit.PER_SECOND,
        statistic=Statistic.MEDIAN,
        n=len(rates),
        low=found.low,
        high=found.high,
        method=how,
        samples=tuple(rates),
    )
