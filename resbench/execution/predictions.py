"""What is kept of a plan, and what stands beside it once it is known."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from resbench.execution.fitting import Line
from resbench.execution.forecast import Estimate
from resbench.execution.suite_plan import Questions, SuitePlan
from resbench.results import Ending, Result
from resbench.specs import Arm
from resbench.store.forecasts import Predicted


def predictions(plan: SuitePlan, machine: str) -> tuple[Predicted, ...]:
    """Return what is to be kept of a plan: for each experiment that has no result, what it should take."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return tuple(
        Predicted(
            key=line.experiment.key,
            seconds=run.value,
            low=run.low,
            high=run.high,
            made=made,
            machine=machine,
        )
        for line in plan.lines
        if line.known is None and line.left is not None and (run := _run_of(line, plan)) is not None
    )


def _run_of(line: Line, plan: SuitePlan) -> Estimate | None:
    if line.experiment.recipe is None:
        return plan.profiles.get(line.experiment.key)
    found = plan.forecasts.get(line.arm.id)
    return None if found is None else found.run


class Uncompared(NamedTuple):
    """How many results of what was predicted do not stand beside it.

    Attributes:
        diverged: that ended before their recipe did.
        elsewhere: of another machine than the one they were predicted for.
    """

    diverged: int
    elsewhere: int


def compared(
    questions: Questions, predicted: Mapping[str, Predicted], result_of: Callable[[str], Result | None]
) -> tuple[tuple[Arm, tuple[tuple[Predicted, Result], ...]], ...]:
    """Return, for each arm with results that were predicted, the pairs of both, profiles left out.

    A run that diverged, or took place on another machine, says nothing of how good its prediction was.
    """
    found: dict[str, tuple[Arm, list[tuple[Predicted, Result]]]] = {}
    for arm, told, result in _known(questions, predicted, result_of):
        if not _diverged(result) and not _elsewhere(told, result):
            found.setdefault(arm.id, (arm, []))[1].append((told, result))
    return tuple((arm, tuple(pairs)) for arm, pairs in found.values())


def uncompared(
    questions: Questions, predicted: Mapping[str, Predicted], result_of: Callable[[str], Result | None]
) -> Uncompared:
    """Return how many results `compared` leaves out; one for both reasons counts as diverged."""
    known = [(told, result) for _, told, result in _known(questions, predicted, result_of)]
    return Uncompared(
        diverged=sum(_diverged(result) for _, result in known),
        elsewhere=sum(not _diverged(result) and _elsewhere(told, result) for told, result in known),
    )


def _known(
    questions: Questions, predicted: Mapping[str, Predicted], result_of: Callable[[str], Result | None]
) -> Iterator[tuple[Arm, Predicted, Result]]:
    for arm, experiment in questions:
        told = predicted.get(experiment.key) if experiment.recipe is not None else None
        result = None if told is None else result_of(experiment.key)
        if told is not None and result is not None:
            yield arm, told, result


def _diverged(result: Result) -> bool:
    return result.outcome is Ending.DIVERGED


def _elsewhere(told: Predicted, result: Result) -> bool:
    return told.machine != result.environment.machine_id
