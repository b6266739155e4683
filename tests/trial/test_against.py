"""A profile beside an earlier one: what the file holds, which cases belong together, what differs, and the ratio."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from resbench.cli.profiling_run import _beside
from resbench.errors import UsageError
from resbench.results import Difference, Environment
from resbench.trial.against import Earlier, check_machine, compare, match, read_earlier
from resbench.trial.case import Case, case_differences
from resbench.trial.findings import measurements
from resbench.trial.records import Arm, Round

CASE = Case(model="resnet18", batch_size=2, threads=2)
HERE = Environment(machine={"cpu": "Some CPU"}, software={"torch": "2.15.0"}, settings={"threads": "2"})
EARLIER = Earlier(
    case=CASE, environment=HERE, latencies_s=((0.2, 0.2), (0.2, 0.2), (0.2, 0.2)), started="2026-11-24T12:00"
)


def single(case: Case, environment: Environment = HERE) -> dict[str, Any]:
    """What the JSON of one case holds of what is read here, and some that is not."""
    return {
        **asdict(case),
        "input": "x".join(map(str, case.input_CHW)),
        "input_CHW": None,
        "environment": {**asdict(environment), "from a later version": 1},
        "started": "2026-11-24T12:00",
        "samples_by_process": [[0.2, 0.2]] * 3,
        "latency": {"median": 0.2},
    }


def written(folder: Path, data: object) -> Path:
    file = folder / "earlier.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_one_case_is_read_back(tmp_path: Path) -> None:
    assert read_earlier(written(tmp_path, single(CASE))) == (EARLIER,)


def test_latencies_at_a_pace_are_told_from_those_as_timed(tmp_path: Path) -> None:
    arm = Arm(case=CASE, pace_s=0.00123)
    assert arm.clock == EARLIER.clock == "as timed"
    arm.rounds = [Round(0, 0, 0, (0.2, 0.2), disturbed=False, pace_s=0.00246)]
    (latency, *_) = measurements(arm)
    data = {**single(CASE), "latency": {"median": latency.value, "method": latency.method}}
    (then,) = read_earlier(written(tmp_path, data))
    assert then.clock == arm.clock == "at a pace of 1.23 ms of reference work"
    assert compare(CASE, HERE, arm.latencies(), then, arm.clock).differences == ()
    (difference,) = compare(CASE, HERE, arm.as_timed(), then).differences
    assert difference == Difference("case", "latency", then.clock, "as timed")


@pytest.mark.parametrize("paced_then", [False, True])
def test_what_was_as_timed_is_compared_as_timed(paced_then: bool) -> None:
    """Now the machine is at half its pace: at its pace the call takes 0.1 s, as timed 0.2 s."""
    arm = Arm(case=CASE, pace_s=0.001)
    arm.rounds = [Round(place, 0, 0, (0.2, 0.2), disturbed=False, pace_s=0.002) for place in range(3)]
    found = _beside(arm, HERE, replace(EARLIER, clock=arm.clock) if paced_then else EARLIER)
    assert found.speed.value == pytest.approx(2.0 if paced_then else 1.0)
    assert found.differences == ()


def test_several_cases_have_settings_and_networks_of_their_own(tmp_path: Path) -> None:
    other = replace(CASE, allocator="keep")
    cases = [
        {**single(case), "settings": {"allocator mode": case.allocator}, "fingerprint": {"layout": "ab"}}
        for case in (CASE, other)
    ]
    failed = {**cases[0], "samples_by_process": []}
    found = read_earlier(
        written(tmp_path, {"cases": [*cases, failed], "environment": asdict(HERE), "processes": 3})
    )
    assert [each.case for each in found] == [CASE, other]
    assert [each.environment.settings for each in found] == [
        {"allocator mode": "system"},
        {"allocator mode": "keep"},
    ]
    assert found[0].environment.model == {"layout": "ab"}


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"cases": [{}]}', '{"cases": 1}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no profile|no case that was measured"):
        read_earlier(file)
    with pytest.raises(UsageError, match="can't be read: No such file"):
        read_earlier(tmp_path / "gone.json")


def test_of_one_each_the_only_other_is_meant_else_the_same_case() -> None:
    bf16 = replace(EARLIER, case=replace(CASE, precision="bf16"))
    assert match([CASE], [bf16]) == {0: bf16}
    assert match([bf16.case, CASE], [EARLIER]) == {1: EARLIER}
    assert match([CASE], [bf16, EARLIER]) == {0: EARLIER}
    with pytest.raises(UsageError, match=r"none of the cases that are asked for, but resnet18, eager, fp32"):
        match([replace(CASE, batch_size=3), bf16.case], [EARLIER])


def test_machines_are_not_compared() -> None:
    check_machine(HERE.machine_id, [EARLIER], Path("x.json"))
    elsewhere = replace(EARLIER, environment=replace(HERE, machine={"cpu": "Another CPU"}))
    with pytest.raises(UsageError, match=r"another machine \(Another CPU\).*--across-machines"):
        check_machine(HERE.machine_id, [elsewhere], Path("x.json"))


def test_what_differs_comes_with_the_ratio() -> None:
    now = replace(CASE, batch_size=4)
    newer = replace(HERE, software={"torch": "2.16.0"})
    found = compare(now, newer, [(0.2, 0.2), (0.2, 0.2), (0.2, 0.2)], EARLIER)
    assert found.differences == (
        Difference("case", "batch size", "2", "4"),
        Difference("software", "torch", "2.15.0", "2.16.0"),
    )
    # The same time for twice as many images.
    assert found.speed == pytest.approx((2.0, 2.0, 2.0))


def test_the_interval_of_the_ratio_has_the_spread_of_both() -> None:
    """Two independent estimates: their half widths on the logarithm add up as squares do."""
    spread = replace(EARLIER, latencies_s=((0.19,) * 5, (0.2,) * 5, (0.21,) * 5))
    alone = compare(CASE, HERE, [(0.2,) * 5] * 3, spread).speed
    both = compare(CASE, HERE, spread.latencies_s, spread).speed
    half, wider = (math.log(each.high / each.low) / 2 for each in (alone, both))
    assert half > 0.05
    assert wider == pytest.approx(math.sqrt(2) * half)


def test_every_field_of_a_case_can_differ() -> None:
    other = Case(
        model="resnet50",
        input_CHW=(1, 2, 3),
        whole_model=True,
        precision="bf16",
        allocator="keep",
        num_classes=7,
    )
    assert [(each.name, each.first, each.second) for each in case_differences(CASE, other)] == [
        ("model", "resnet18", "resnet50"),
        ("precision", "fp32", "bf16"),
        ("whole model", "no", "yes"),
        ("batch size", "2", "1"),
        ("input", "3x224x224", "1x2x3"),
        ("num classes", "none", "7"),
        ("threads", "2", "1"),
        ("allocator", "system", "keep"),
    ]
