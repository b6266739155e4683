"""Results of every shape, for round trips."""

from collections.abc import Callable

import pytest

from resbench.results import Environment, Epoch, Measurement, Pass, Result, Statistic, Unit

MakeResult = Callable[..., Result]


@pytest.fixture
def make_result() -> MakeResult:
    """Return a function that makes a small result with one epoch."""
    seen = Pass(
        loss=2.5, loss_of_batches=2.25, top1=0.1, top5=0.3, top1_of_batches=0.1, top5_of_batches=1 / 3,
        samples=96, seconds=1.5,
    )  # fmt: skip

    def make(key: str = "0123456789abcdef", value: float = 0.1 + 0.2, note: str = "größer als 1") -> Result:
        return Result(
            key=key,
            experiment={"model": "resnet50", "recipe": None, "profiling": {"input_CHW": [3, 224, 224]}},
            measurements=(
                Measurement(
                    metric="latency", value=value, unit=Unit.SECOND, statistic=Statistic.MEDIAN, n=2, low=None,
                    high=0.5, samples=(value, 1e-300),
                ),
            ),
            environment=Environment(machine={"cpu": "x"}, software={"python": "3"}, settings={}),
            epochs=(Epoch(number=1, learning_rate=2e-4, train=seen, test=seen),),
            started="2026-01-02T03:04:05+00:00",
            seconds=12.75,
            notes=(note,),
        )  # fmt: skip

    return make
