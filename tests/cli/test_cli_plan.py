"""`resbench plan` as a user runs it, on drawn pictures: what it prints, what it keeps, and what stands beside it later."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from resbench.cli.main import call
from resbench.datasets.progress import Report
from resbench.execution import suite_plan
from resbench.execution.suite_plan import Place, Questions, SuitePlan
from resbench.results import Environment, Result, plain
from resbench.store.store import open_store

SUITE = "--suite cifar_plain_vs_resnet --models cifar_plain20,cifar_resnet20 --scale smoke --set train_batch=16 --set test_batch=16"
"""Six steps of 16 pictures for each arm."""
PLAN = f"plan {SUITE} --measure 0.1"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resbench(line: str) -> int:
    return call(shlex.split(line))


def planned(capsys: pytest.CaptureFixture[str], options: str = "") -> dict[str, Any]:
    assert resbench(f"{PLAN} {options} --format json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_plan_and_then_the_run_beside_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, "--seeds 2 --budget 10h")
    assert [arm["arm"] for arm in found["arms"]] == ["cifar_plain20", "cifar_resnet20"]
    assert all(arm["run_low_s"] < arm["run_s"] < arm["run_high_s"] for arm in found["arms"])
    assert [arm["images_per_run"] for arm in found["arms"]] == [6 * 16] * 2
    assert found["seeds_that_fit"] == 2
    ends = [line["done_s"]["value"] for line in found["experiments"]]
    assert ends == sorted(ends)
    assert found["total_s"]["value"] == ends[-1]
    assert "scale smoke" in found["shows"]["not_comparable"]
    assert found["predicted_and_actual"] == []
    with open_store("resbench.db") as store:
        before = store.forecasts.all()
    assert before.keys() == {line["key"] for line in found["experiments"]}
    # Nothing is left of the rehearsal.
    assert {path.name for path in here.iterdir()} <= {
        "resbench.db",
        "resbench.db-wal",
        "resbench.db-shm",
        "cache",
    }

    assert resbench(f"run {SUITE}") == 0
    capsys.readouterr()
    again = planned(capsys, "--seeds 2")
    assert [line["stored"] for line in again["experiments"]] == [True, True, False, False]
    first, second = (line["done_s"]["value"] for line in again["experiments"][:2])
    assert first == second
    pairs = again["predicted_and_actual"]
    assert [pair["arm"] for pair in pairs] == ["cifar_plain20", "cifar_resnet20"]
    with open_store("resbench.db") as store:
        for pair in pairs:
            result = store.get(pair["key"])
            assert result is not None
            assert pair["took"] == result.seconds
            # What was predicted before its result is not predicted again.
            assert store.forecasts.all()[pair["key"]] == before[pair["key"]]

    assert resbench(f"{PLAN} --compare") == 0
    text = capsys.readouterr().out
    assert "Predicted and actual" in text
    assert "ratio" in text
    assert "The whole takes" not in text


def test_a_run_that_finishes_meanwhile_keeps_what_was_predicted_before_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(capsys)
    with open_store("resbench.db") as store:
        before = store.forecasts.all()
    real = suite_plan.plan_suite
    finished: list[str] = []

    def slow(questions: Questions, place: Place, report: Report) -> SuitePlan:
        found, experiment = real(questions, place, report), questions[0][1]
        environment = Environment(machine={}, software={}, settings={})
        result = Result(
            key=experiment.key,
            experiment=plain(experiment),
            measurements=(),
            environment=environment,
            started="2026-01-01T00:00:00+00:00",
            seconds=1.0,
        )
        place.store.save(result)
        finished.append(experiment.key)
        return found

    monkeypatch.setattr(suite_plan, "plan_suite", slow)
    planned(capsys)
    with open_store("resbench.db") as store:
        after = store.forecasts.all()
    assert [key for key in before if after[key] == before[key]] == finished


def test_a_person_reads_what_fits_and_what_it_can_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert resbench(f"{PLAN} --seeds 3 --budget 0.01s") == 0
    text = capsys.readouterr().out
    for words in (
        "cifar_plain_vs_resnet, scale smoke on resbench sample",
        "plain-20",
        "Not one seed of every arm fits into 0.0 s",
        "never compared with the papers",
        "no detectable difference can be told",
        "'resbench noise' was not run here",
        "Energy",
        "checkpoints",
    ):
        assert words in text
    assert resbench(f"{PLAN} --models cifar_resnet20 --format markdown") == 0
    assert "| arm " in capsys.readouterr().out
    assert resbench(f"{PLAN} --models cifar_resnet20 --format csv") == 0
    assert capsys.readouterr().out.startswith("arm,images_per_run,")


def test_settings_change_what_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, "--models cifar_resnet20 --set schedule.length=3 --set schedule.milestones=2")
    assert found["arms"][0]["images_per_run"] == 3 * 16


def test_what_is_only_counted_needs_no_plan(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert resbench("plan --suite imagenet_cost") == 0
    assert "nothing to plan" in capsys.readouterr().out
    assert not list(here.glob("*.db"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--suite cifar_dept", "did you mean cifar_depth"),
        ("--suite cifar_depth --scale smok", "did you mean smoke?"),
        ("--suite cifar_depth --scale full", "give --data DIR"),
        ("--suite cifar_depth --scale smoke --budget soon", "--budget soon is no time"),
        ("--suite cifar_depth --scale smoke --budget 0h", "--budget 0h leaves no time"),
        ("--suite cifar_depth --scale smoke --set optimizer.rl=1", "optimizer.lr"),
        ("--suite cifar_depth --scale smoke --device gpu", "did you mean cuda?"),
        ("--suite cifar_depth --scale smoke --compare --store none.db", "there is no store none.db"),
        ("--suite cifar_depth --scale smoke --store .", "name a file in it"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    options: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resbench(f"plan {options}") == 2
    caught = capsys.readouterr()
    assert expected in caught.err
    assert caught.err.count("\n") == 1
    assert caught.out == ""


def test_nothing_was_predicted_before(capsys: pytest.CaptureFixture[str]) -> None:
    with open_store("empty.db"):
        pass
    assert resbench(f"plan {SUITE} --compare --store empty.db") == 0
    assert "holds no run of these that was predicted before" in capsys.readouterr().out
