"""Timing through a backend: what is asked of the processes, and that what can't be had is a result that says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from resbench.errors import Stopped, UsageError
from resbench.results import Result, digest
from resbench.specs import Experiment, Precision, Profiling, Scale
from resbench.store.store import open_store
from resbench.trial.case import Case
from resbench.trial.plan import QUICK, STANDARD, Plan
from resbench.trial.records import Arm, Calls, Failure, Record, Round
from resbench.trial.timed import case_of, is_answered, timed

PROFILING = Profiling(batch_size=2, num_classes=10, input_CHW=(3, 16, 16), backend="onnxruntime")
QUESTION = Experiment(
    model="cifar_plain20",
    device="cpu",
    precision=Precision.FP32,
    seed=3,
    scale=Scale.SMOKE,
    profiling=PROFILING,
)


def silent(_said: str) -> None:
    """Say nothing."""


class Fake:
    """Measures at once; remembers what it was asked."""

    def __init__(self, *, failure: Failure | None = None, error: Exception | None = None) -> None:
        self.failure, self.error = failure, error
        self.cases: list[Case] = []
        self.plans: list[Plan] = []

    def __call__(
        self, cases: list[Case], plan: Plan, say: Callable[[str], None], pace_s: Callable[[int], float]
    ) -> Record:
        self.cases += cases
        self.plans.append(plan)
        if self.error is not None:
            raise self.error
        arm = Arm(case=cases[0], failure=self.failure)
        if self.failure is None:
            arm.rounds = [Round(process, 0, 0, (0.25, 0.5, 0.75), disturbed=False) for process in range(3)]
            arm.rounds_of_calls = [[Calls(4, 2.0)] for _ in range(3)]
            arm.warm = [{"steady": True, "seconds": 1.0}]
            arm.opened = {
                "settings": {"onnxruntime": "CPU"},
                "agreement": {"sentence": "Output within 1e-6 of eager fp32."},
            }
        return Record(arms=[arm], processes=3)


def asked(fake: Fake, question: Experiment = QUESTION) -> Result:
    return timed(question, silent, measure=fake)


def test_the_figures_are_those_of_the_fresh_processes() -> None:
    fake = Fake()
    result = asked(fake)
    latency, rate = result.find("latency"), result.find("throughput")
    assert latency is not None
    assert rate is not None
    assert (latency.value, latency.n) == (0.5, 9)
    assert rate.value == 4 * 2 / 2.0  # calls x batch over seconds
    assert result.find("peak_memory") is None  # that of eager PyTorch would not be this backend's
    parameters, macs = result.find("parameters"), result.find("macs", "core")
    assert parameters is not None
    assert macs is not None
    assert (result.key, digest(result.experiment)) == (QUESTION.key, digest(QUESTION))
    assert "Output within 1e-6 of eager fp32." in result.notes
    assert result.environment.settings["onnxruntime"] == "CPU"
    assert is_answered(result)
    (case,) = fake.cases
    assert (case.backend, case.batch_size, case.input_CHW, case.num_classes, case.seed) == (
        "onnxruntime",
        2,
        (3, 16, 16),
        10,
        3,
    )


@pytest.mark.parametrize(
    ("scale", "plan"), [(Scale.FULL, STANDARD), (Scale.SHORT, QUICK), (Scale.SMOKE, QUICK)]
)
def test_only_the_full_scale_is_measured_for_long(scale: Scale, plan: Plan) -> None:
    fake = Fake()
    asked(fake, replace(QUESTION, scale=scale))
    assert fake.plans == [plan]


@pytest.mark.parametrize(
    "fake",
    [
        Fake(error=UsageError("backend 'onnxruntime' needs onnx, not installed here")),
        Fake(failure=Failure("failed", "backend 'onnxruntime' needs onnx, not installed here")),
    ],
)
def test_what_can_not_be_measured_is_a_result_that_says_why(fake: Fake) -> None:
    result = asked(fake)
    assert result.find("latency") is None
    assert "Not measured: backend 'onnxruntime' needs onnx, not installed here." in result.notes
    assert not is_answered(result)
    assert result.find("parameters") is not None


def test_a_stop_is_no_failure() -> None:
    with pytest.raises(Stopped):
        asked(Fake(error=Stopped("by the user")))


def test_a_backend_is_part_of_the_question_and_the_earlier_questions_keep_their_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The key was taken before there were backends, of experiments of version 1."""
    monkeypatch.setattr("resbench.specs.experiment.EXPERIMENT_VERSION", 1)
    plain = replace(QUESTION, profiling=Profiling(batch_size=1, num_classes=10, input_CHW=(3, 8, 8)))
    assert plain.key == "ed67b8d46ba67cb1"
    eager = replace(plain, profiling=replace(plain.profiling or PROFILING, backend="eager"))
    assert len({plain.key, eager.key, replace(eager, profiling=PROFILING).key}) == 3


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (99, 3)])
def test_threads_are_those_of_this_process_and_no_more_than_cores(
    cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resbench.trial import timed as module

    monkeypatch.setattr(module, "usable_cores", lambda: tuple(range(cores)))
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)
    assert case_of(QUESTION, PROFILING).threads == threads


def test_a_reason_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resbench.execution import in_process
    from resbench.execution.progress import Silent

    fakes = iter([Fake(error=UsageError("it is not installed")), Fake()])
    monkeypatch.setattr(in_process, "timed", lambda question, say: timed(question, say, measure=next(fakes)))
    with open_store(str(tmp_path / "r.db")) as store:
        found = [
            in_process.run([QUESTION], None, store, checkpoints=tmp_path / "c", workers=0, progress=Silent())[
                0
            ]
            for _ in range(3)
        ]
        assert [is_answered(result) for result in found] == [False, True, True]
        assert store.get(QUESTION.key) == found[1]
