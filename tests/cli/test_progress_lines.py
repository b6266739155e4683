"""What `resbench run` says of each result where nobody watches a bar."""

import io
from dataclasses import replace

from rich.console import Console

from resbench.cli.progress import Display, Stop
from resbench.results import Environment, Measurement, Result, Statistic, Unit

RESULT = Result(
    key="f" * 16,
    experiment={},
    measurements=(),
    environment=Environment(machine={}, software={}, settings={}),
    started="2026-01-02T03:00:00+00:00",
    seconds=60.0,
    notes=("Not measured: onnxruntime is not installed.",),
)
LATENCY = Measurement(metric="latency", value=0.5, unit=Unit.SECOND, statistic=Statistic.MEDIAN, n=9)


def said(result: Result) -> str:
    written = io.StringIO()
    with Display(Stop(), Console(file=written, width=200)) as display:
        display.finish(result, 2, 3)
    return written.getvalue()


def test_what_is_not_stored_is_not_called_stored() -> None:
    assert (
        said(RESULT)
        == "[2/3] Not measured: onnxruntime is not installed. Not stored: it is asked for again.\n"
    )


def test_what_is_stored_says_how_long_it_took() -> None:
    assert said(replace(RESULT, notes=())).startswith("[2/3] stored after ")
    assert said(replace(RESULT, measurements=(LATENCY,))).startswith("[2/3] stored after ")
