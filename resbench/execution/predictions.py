"""What is kept of a plan, and what stands beside it once it is known."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from resbench.execution.fitting import Line
from resbench.execution.forecast import Estimate
from resbench.execution.suite_plan import Questions, SuitePlan
from resbench.results import Result
from resbench.specs import Arm
from resbench.store.forecasts import Predicted


def predictions(plan: SuitePlan, machine: str) -> tuple[Predicted, ...]:
    """Return what is to be kept of a plan: for each training that has no result, what it should take."""
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


def compared(
    questions: Questions, predicted: Mapping[str, Predicted], result_of: Callable[[str], Result | None]
) -> tuple[tuple[Arm, tuple[tuple[Predicted, Result], ...]], ...]:
    """Return, for each arm with results that were predicted, the pairs of both, profiles left out."""
    found: dict[str, tuple[Arm, list[tuple[Predicted, Result]]]] = {}
    for arm, experiment in questions:
        told, result = predicted.get(experiment.key), result_of(experiment.key)
        if experiment.recipe is not None and told is not None and result is not None:
            found.setdefault(arm.id, (arm, []))[1].append((told, result))
    return tuple((arm, tuple(pairs)) for arm, pairs in found.values())
