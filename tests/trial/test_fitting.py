"""Memory that does not suffice is an answer, in a process of its own; everything else that fails is an error."""

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from resbench.errors import ResbenchError, UsageError
from resbench.metrics.batch_search import Trial
from resbench.trial import fitting
from resbench.trial.case import Case
from resbench.trial.worker import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 2**20
SMALL = Case(model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, batch_size=32)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is limited on Linux only")


@LINUX
def test_a_process_says_whether_a_case_fits() -> None:
    case = Case(
        model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, batch_size=256, mode="training"
    )
    # The output of the first layer alone: 256 x 16 x 32 x 32 x 4 B = 16 MiB, and what follows keeps as much twice more.
    assert not fitting.fits(case, limit_B=24 * MIB)
    assert fitting.fits(case, limit_B=4096 * MIB)


@LINUX
def test_what_is_not_there_is_no_matter_of_memory() -> None:
    with pytest.raises(UsageError, match="unknown model 'cifar_resnet21'"):
        fitting.fits(Case(model="cifar_resnet21"), limit_B=MIB)


class Answers:
    """In place of processes: gives what was written down, and keeps the limits that it was asked with."""

    def __init__(self, *answers: Answer) -> None:
        self._answers: Iterator[Answer] = iter(answers)
        self.limits: list[int | None] = []

    def __call__(self, _case: Case, limit_B: int | None) -> Answer:
        self.limits.append(limit_B)
        return next(self._answers)


FAILED: Answer = {"error": "failed", "message": "could not create a primitive"}


def test_a_failure_that_more_memory_mends_was_one_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(FAILED, {})
    monkeypatch.setattr(fitting, "_answer", answers)
    assert not fitting.fits(SMALL, limit_B=MIB)
    assert answers.limits == [MIB, 0]


def test_a_failure_that_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_answer", Answers(FAILED, FAILED))
    with pytest.raises(ResbenchError, match=r"^batch 32: could not create a primitive$"):
        fitting.fits(SMALL, limit_B=MIB)


def test_a_failure_on_a_gpu_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(FAILED)
    monkeypatch.setattr(fitting, "_answer", answers)
    with pytest.raises(ResbenchError, match="primitive"):
        fitting.fits(Case(model="resnet18", device="cuda"), limit_B=MIB)
    assert answers.limits == [MIB]


@pytest.mark.parametrize(
    ("code", "errors", "kind"),
    [
        (-signal.SIGKILL, "", "oom"),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", "oom"),
        (1, "libgomp: Thread creation failed: Resource temporarily unavailable", "oom"),
        (-signal.SIGSEGV, "", "failed"),
        (1, "ImportError: no module", "failed"),
        (-signal.SIGABRT, "assertion failed", "failed"),
    ],
)
def test_how_a_process_ended_says_whether_memory_did(code: int, errors: str, kind: str) -> None:
    assert fitting._ended(code, errors)["error"] == kind


def test_the_search_tries_batches_of_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(case: Case, limit_B: int | None) -> Answer:
        assert limit_B == MIB
        return {} if case.batch_size <= 3 else {"error": "oom"}

    monkeypatch.setattr(fitting, "_answer", answer)
    found = fitting.find_largest_batch(SMALL, limit_B=MIB, start=2)
    assert found.largest == 3
    assert found.trials[0] == Trial(2, fitted=True)
