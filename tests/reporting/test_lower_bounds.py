"""Estimates for other devices stand in the report of what was profiled, marked as what they are."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from resbench.reporting.lower_bounds import lower_bounds
from resbench.reporting.selection import select
from resbench.reporting.suite_report import suite_report
from resbench.results import Result
from resbench.specs import Scale
from resbench.suites.voc_compare import SUITE

Fabricate = Callable[..., list[Result]]
TITLE = "\n## At least, on other devices\n"


def cells(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_profiled_network_has_a_row_marked_as_an_estimate(fabricate: Fabricate) -> None:
    results = fabricate()
    text = suite_report(SUITE, SUITE.arms, results, scale=Scale.SHORT, command="again").markdown
    section = text.partition(TITLE)[2].partition("\n## ")[0]
    assert section.strip().startswith("**Estimates, not measurements**")
    assert "an estimate from the data sheet" in section.lower()
    row = cells(section, "resnet50")
    profiled = next(
        result.experiment["profiling"]
        for result in results
        if result.experiment["profiling"] and result.experiment["model"] == "resnet50"
    )
    batch = profiled["batch_size"]
    assert row[:3] == ["resnet50", str(batch), "fp32"]
    # Torchvision's ResNet-50 has 4.089 G multiply-accumulates; a GTX 1080 Ti does 2 x 3,584 x 1.582 G operations a second.
    compute_ms = 1e3 * batch * 2 * 4_089_184_256 / (2 * 3584 * 1.582e9)
    compute, memory = map(float, row[3].split(" / "))
    assert compute == pytest.approx(compute_ms, rel=0.01)
    assert memory >= compute


def test_what_a_data_sheet_does_not_say_stays_empty(fabricate: Fabricate) -> None:
    results = [
        replace(result, experiment={**result.experiment, "precision": "bf16"})
        for result in fabricate()
        if result.experiment["profiling"]
    ]
    selection = select(SUITE, SUITE.arms, [], Scale.SHORT)
    profiled = {result.experiment["model"]: result for result in results}
    text = lower_bounds(replace(selection, profiled=profiled))
    row = cells(text, "resnet50")
    assert row[2:5] == ["bf16", "-", "-"]
    assert " / " in row[5]


def test_where_nothing_was_profiled_nothing_is_said(fabricate: Fabricate) -> None:
    assert lower_bounds(select(SUITE, SUITE.arms, [], Scale.SHORT)) == ""
