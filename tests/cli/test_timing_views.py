"""How several cases look side by side, from a record with fixed figures; golden files hold the text."""

import csv
import io
import json
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.cli.comparison_views import show_comparison
from resbench.cli.output import Format
from resbench.cli.timing_views import difference
from resbench.metrics.latency.disturbance import Surroundings
from resbench.metrics.latency.intervals import Estimate
from resbench.results import Environment
from resbench.trial.case import Case
from resbench.trial.findings import Finding, findings
from resbench.trial.noise import Floor
from resbench.trial.records import Arm, Calls, Failure, Record, Round

FIRST = Case(model="resnet50", batch_size=2, threads=2)
CASES = (FIRST, replace(FIRST, backend="openvino"), replace(FIRST, backend="compile"))
FLOOR = Floor(
    device="cpu",
    threads=2,
    model="resnet18",
    floor=0.02,
    ratio=1.0,
    low=0.99,
    high=1.02,
    between_processes=0.01,
    processes=3,
    disturbed=0.0,
    pace_s=0.001,
    torch="2.15.0",
    measured="2026-11-24T12:00:00+00:00",
)
ENVIRONMENT = Environment(
    machine={"cpu": "Some CPU", "cores": "2"}, software={"torch": "2.15.0"}, settings={"threads": "2"}
)


def arm(case: Case, seconds: float, *, device: bool) -> Arm:
    found = Arm(case=case)
    for process, level in enumerate((0.99, 1.0, 1.01)):
        call = seconds * level
        found.cold.append(
            {"load_s": 0.5, "prepare_s": 0.1, "compile_s": 2.0 * (not device), "first_call_s": 0.2}
        )
        found.warm.append({"steady": process > 0, "seconds": 5.0})
        for number in range(20):
            samples = tuple(call * (1 + 0.001 * (place % 5)) for place in range(number, number + 3))
            found.rounds.append(Round(process, number, 0, samples, disturbed=number == 0))
        found.rounds_of_calls.append([Calls(4, 4 * call), Calls(4, 4.1 * call)])
        if device:
            found.device.append([0.9 * call] * 3)
            found.device_method = "by a fixed profiler"
    return found


def a_record() -> Record:
    arms = [arm(CASES[0], 0.1, device=True), arm(CASES[1], 0.05, device=False), Arm(case=CASES[2])]
    arms[1].opened = {"notes": ["Export took 6.1 s."], "agreement": {"sentence": "Output is near."}}
    arms[2].failure = Failure("oom", "the system killed the process: its memory ran out")
    around = Surroundings(foreign_cores=0.0, load=0.1, gpu=None)
    return Record(
        arms=arms,
        surroundings=[around] * 9,
        again=1,
        criterion={1: "the 20 s of the time budget ended with the median known to +-2.5 %, not to +-1 %"},
        sampling_s=40.0,
        processes=3,
    )


def shown(output: Format, floor: Floor | None = FLOOR) -> None:
    record = a_record()
    show_comparison(findings(record), record, ENVIRONMENT, floor, ["A note of all."], output)


@pytest.mark.parametrize("output", [Format.TABLE, Format.MARKDOWN])
def test_a_comparison_for_people(
    output: Format, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    shown(output)
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize(("alone", "speeds"), [(None, ["1", "2.00"]), (0, ["1", ""]), (1, ["1", ""])])
def test_no_ratio_is_shown_where_there_is_none(
    alone: int | None, speeds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    record = a_record()
    record.arms = record.arms[:2]
    if alone is not None:
        record.arms[alone].alone = True
    show_comparison(findings(record), record, ENVIRONMENT, FLOOR, [], Format.MARKDOWN)
    head, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("|")
    )
    place = head.index("speed")
    assert all(
        row[place].startswith(said) and bool(row[place]) is bool(said)
        for row, said in zip(rows, speeds, strict=True)
    )


def test_without_a_noise_floor_it_says_how_to_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Format.TABLE, None)
    assert "'resbench noise' measures it" in capsys.readouterr().out


def test_a_comparison_in_base_units(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Format.JSON)
    found = json.loads(capsys.readouterr().out)
    eager, openvino, compiled = found["cases"]
    assert eager["latency"]["median"] == pytest.approx(0.1, rel=0.01)
    assert eager["device_time"]["median"] == pytest.approx(0.09, rel=0.01)
    assert openvino["device_time"] is None
    assert openvino["speed"]["ratio"] == pytest.approx(2.0)
    assert openvino["difference"] == "faster"
    assert openvino["criterion_not_met"].startswith("the 20 s")
    assert [len(samples) for samples in eager["samples_by_process"]] == [60, 60, 60]
    assert compiled["failure"]["kind"] == "oom"
    assert found["noise_floor"] == 0.02
    shown(Format.CSV)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["backend"] for row in rows] == ["eager", "openvino", "compile"]
    assert float(rows[1]["speed"]) == pytest.approx(2.0)
    assert rows[2]["failure"] == "oom"
    assert rows[2]["latency"] == rows[0]["speed"] == ""


@pytest.mark.parametrize(
    ("speed", "floor", "words"),
    [
        (None, FLOOR, ""),
        (Estimate(1.01, 0.99, 1.03), FLOOR, "none shown"),
        (Estimate(1.01, 1.005, 1.015), FLOOR, "within noise"),
        (Estimate(1.01, 1.005, 1.015), None, "faster"),
        (Estimate(1.10, 1.08, 1.12), FLOOR, "faster"),
        (Estimate(0.90, 0.88, 0.92), FLOOR, "slower"),
    ],
)
def test_only_what_exceeds_interval_and_noise_is_a_difference(
    speed: Estimate | None, floor: Floor | None, words: str
) -> None:
    finding = Finding(FIRST, (), (), speed, None, None, "", 0.0, ())
    assert difference(finding, floor) == words
