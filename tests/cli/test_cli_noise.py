"""`resbench noise` from the command line to the file, on a record with fixed figures."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from resbench.cli.main import call
from resbench.environment import capture
from resbench.trial import side_by_side
from resbench.trial.case import Case
from resbench.trial.noise import find_floor
from resbench.trial.plan import Plan
from resbench.trial.records import Arm, Failure, Record, Round


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path))
    return tmp_path


def fixed(cases: Sequence[Case], plan: Plan, _say: Callable[[str], None]) -> Record:
    assert len(set(cases)) == 1  # A against A
    arms = [Arm(case=case) for case in cases]
    for process in range(plan.processes):
        for number in range(5):
            for place, arm in enumerate(arms):
                seconds = 0.01 * (1 + 0.001 * ((process + place) % 3))
                arm.rounds.append(Round(process, number, place, (seconds,) * 2, disturbed=False))
    return Record(arms=arms, processes=plan.processes)


def test_the_floor_is_shown_and_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(side_by_side, "measure_side_by_side", fixed)
    options = ["--model", "cifar_resnet20", "--threads", "1", "--processes", "3"]
    assert call(["noise", *options, "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    kept = find_floor(cache / "noise", capture("cpu").machine_id, "cpu", 1)
    assert kept is not None
    assert found["floor"] == kept.floor > 0
    assert (found["model"], found["processes"], found["threads"]) == ("cifar_resnet20", 3, 1)
    assert Path(found["file"]).parent == cache / "noise"
    for form, word in (("table", "noise floor"), ("markdown", "| noise floor"), ("csv", "between_processes")):
        assert call(["noise", *options, "--format", form]) == 0
        assert word in capfd.readouterr().out


def test_a_failure_keeps_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(cases: Sequence[Case], _plan: Plan, _say: Callable[[str], None]) -> Record:
        arms = [Arm(case=case, failure=Failure("oom", "its memory ran out")) for case in cases]
        return Record(arms=arms)

    monkeypatch.setattr(side_by_side, "measure_side_by_side", failing)
    assert call(["noise", "--threads", "1"]) == 1
    assert "the noise floor was not measured: its memory ran out" in capfd.readouterr().err
    assert not (cache / "noise").exists()


def test_two_processes_that_do_not_fit_side_by_side_keep_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def alone(cases: Sequence[Case], plan: Plan, say: Callable[[str], None]) -> Record:
        record = fixed(cases, plan, say)
        record.arms[1].alone = True
        return record

    monkeypatch.setattr(side_by_side, "measure_side_by_side", alone)
    assert call(["noise", "--threads", "1"]) == 1
    assert "memory does not hold two processes of resnet18 side by side" in capfd.readouterr().err
    assert not (cache / "noise").exists()
