"""The noise floor, from records with fixed figures, and the file that keeps it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.metrics.latency.disturbance import Surroundings
from resbench.trial.case import Case
from resbench.trial.noise import Floor, find_floor, floor_of, keep_floor
from resbench.trial.records import Arm, Record, Round

FLOOR = Floor(
    device="cpu",
    threads=2,
    model="resnet18",
    floor=0.02,
    ratio=1.001,
    low=0.99,
    high=1.02,
    between_processes=0.01,
    processes=3,
    disturbed=0.0,
    pace_s=0.001,
    torch="2.15.0",
    measured="2026-11-24T12:00:00+00:00",
)


def against_itself(*ratios: float) -> Record:
    """Two arms of one case: in each process the first takes `ratio` times as long as the second."""
    case = Case(model="resnet18", threads=2)
    arms = [Arm(case=case), Arm(case=case)]
    for process, ratio in enumerate(ratios):
        for number in range(4):
            for place, seconds in enumerate((0.01 * ratio, 0.01)):
                found = Round(process, number, place, (seconds,) * 3, disturbed=False)
                arms[place].rounds.append(found)
    around = Surroundings(foreign_cores=0.0, load=0.1, gpu=None)
    return Record(arms=arms, surroundings=[around, replace(around, reasons=("busy",))], processes=len(ratios))


def test_the_floor_is_the_farther_end_of_the_interval() -> None:
    floor = floor_of(against_itself(0.99, 1.00, 1.01), "now", "2.15.0")
    # Student's interval of the three logarithms: about 0, t(2) = 4.303 times their standard error.
    half = 4.303 * math.log(1.01) / math.sqrt(3)
    assert floor.ratio == pytest.approx(1.0, abs=1e-4)
    assert floor.floor == pytest.approx(math.expm1(half), rel=0.01)
    assert math.log(floor.high) == pytest.approx(half, rel=0.01)
    assert (floor.processes, floor.disturbed, floor.threads) == (3, 0.5, 2)
    assert floor.between_processes == pytest.approx(math.log(1.01) / math.sqrt(2), rel=0.01)


def test_without_rounds_there_is_no_floor() -> None:
    with pytest.raises(ValueError, match="needs rounds of both"):
        floor_of(against_itself(), "now", "2.15.0")


@given(ratio=st.floats(0.5, 2.0))
def test_a_ratio_and_its_inverse_are_noise_together(ratio: float) -> None:
    assert FLOOR.holds(ratio) == FLOOR.holds(1 / ratio)
    assert FLOOR.holds(1.0)
    assert not FLOOR.holds(1.0201)


def test_a_floor_is_kept_by_machine_device_and_threads(tmp_path: Path) -> None:
    folder = tmp_path / "noise"
    assert find_floor(folder, "m1", "cpu", 2) is None
    keep_floor(folder, "m1", FLOOR)
    keep_floor(folder, "m1", replace(FLOOR, threads=1, floor=0.5))
    file = keep_floor(folder, "m1", replace(FLOOR, floor=0.03))
    assert find_floor(folder, "m1", "cpu", 2) == replace(FLOOR, floor=0.03)
    assert find_floor(folder, "m1", "cpu", 1) == replace(FLOOR, threads=1, floor=0.5)
    assert find_floor(folder, "m2", "cpu", 2) is None
    assert find_floor(folder, "m1", "cuda:0", 2) is None
    assert [path.name for path in folder.iterdir()] == [file.name] == ["m1.json"]


@pytest.mark.parametrize(
    "text", ["", "{", '{"format": 0, "floors": []}', '{"format": 2, "floors": [{"device": 3}]}']
)
def test_a_damaged_or_older_file_is_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "m1.json").write_text(text, encoding="utf-8")
    assert find_floor(tmp_path, "m1", "cpu", 2) is None
    keep_floor(tmp_path, "m1", FLOOR)
    assert json.loads((tmp_path / "m1.json").read_text(encoding="utf-8"))["machine"] == "m1"
    assert find_floor(tmp_path, "m1", "cpu", 2) == FLOOR


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot keep the noise floor in"):
        keep_floor(tmp_path / "file" / "noise", "m1", FLOOR)
