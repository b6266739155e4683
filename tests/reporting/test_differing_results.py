"""A report says in what its results differ before it compares them."""

from collections.abc import Callable
from dataclasses import replace

from resbench.reporting.suite_report import suite_report
from resbench.results import Result
from resbench.specs import Scale
from resbench.suites.voc_compare import SUITE

Fabricate = Callable[..., list[Result]]
TITLE = "\n## What differs between the results\n"


def rendered(results: list[Result]) -> str:
    return suite_report(SUITE, SUITE.arms, results, scale=Scale.SHORT, command="again").markdown


def test_results_that_were_made_alike_need_no_table(fabricate: Fabricate) -> None:
    assert TITLE not in rendered(fabricate())


def test_what_differs_stands_before_what_is_compared(fabricate: Fabricate) -> None:
    results = [
        replace(
            result,
            environment=replace(
                result.environment,
                software={**result.environment.software, "torch": "2.16.0"},
                settings={"threads": "1"},
                state={"governor": "powersave", "load": "0.5"},
            ),
        )
        if result.experiment["recipe"] and result.experiment["model"] == "resnet50"
        else result
        for result in fabricate()
    ]
    text = rendered(results)
    section = text.partition(TITLE)[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()[4:] if line
    ]
    assert [
        "trainings",
        "software",
        "torch",
        "2.15.0 (ResNet-18, seed 0, ResNet-34, seed 0); 2.16.0 (ResNet-50, seed 0)",
    ] in rows
    assert any(row[1:3] == ["setting", "threads"] for row in rows)
    assert [
        "trainings",
        "state",
        "governor",
        "not recorded (ResNet-18, seed 0, ResNet-34, seed 0); powersave (ResNet-50, seed 0)",
    ] in rows
    assert not any(row[0] == "profiles" or row[2] == "load" for row in rows)
    assert text.index(TITLE) < text.index("\n## Published and measured\n")
