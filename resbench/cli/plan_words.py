"""What a plan says in sentences: what fits, how it was measured, and what it leaves out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from resbench.cli.plan_answer import Answer
from resbench.metrics.latency.disturbance import FOREIGN_CORES
from resbench.specs import Scale
from resbench.units import MIB, duration, percent

if TYPE_CHECKING:
    from resbench.execution.fitting import Seed
    from resbench.execution.forecast import Estimate
    from resbench.execution.suite_plan import SuitePlan


def interval(found: "Estimate") -> str:
    """Return the ends of an interval of time."""
    return f"{duration(found.low)} to {duration(found.high)}"


def sentences(answer: Answer) -> Iterator[str]:
    """Yield the sentences of a plan in the order they are read."""
    if answer.plan is not None:
        yield from _fits(answer, answer.plan)
        yield from _measured(answer, answer.plan)
        yield _disk(answer.plan)
        yield from _energy(answer)
    shows = answer.shows
    if shows is not None:
        if shows.not_comparable:
            reduced = "a reduced run" if answer.amount != Scale.FULL else "such a run"
            yield f"Verdicts: none. {reduced.capitalize()} is never compared with the papers ({shows.not_comparable})."
        if shows.between:
            yield shows.between
    yield from _before(answer)


def _fits(answer: Answer, plan: "SuitePlan") -> Iterator[str]:
    left_out = sorted({line.arm.label for line in plan.lines if line.known is None and line.left is None})
    at_least = f", without {', '.join(left_out)}, which can't be predicted" if left_out else ""
    stored = sum(line.known is not None for line in plan.lines)
    known = f"; {stored} of {len(plan.lines)} experiments are stored and cost nothing" if stored else ""
    yield f"The whole takes {duration(plan.total.value)} ({interval(plan.total)}){at_least}{known}."
    if answer.budget_s is not None:
        yield _within(answer, plan, answer.budget_s)


def _within(answer: Answer, plan: "SuitePlan", budget_s: float) -> str:
    seeds, fitting, time = answer.seeds, answer.fitting, duration(budget_s)
    if not seeds:
        done = sum(line.ends.value <= budget_s for line in plan.lines)
        return f"{done} of {len(plan.lines)} experiments fit into {time}."
    if fitting == len(seeds):
        each = "the one seed" if len(seeds) == 1 else f"all {len(seeds)} seeds"
        return f"{each.capitalize()} of every arm fit{'s' * (len(seeds) == 1)} into {time}{_sure(seeds[-1], budget_s)}."
    late = seeds[fitting]
    if not fitting:
        return _first_arms(plan, late, budget_s)
    return (
        f"{fitting} of {len(seeds)} seeds of every arm fit{'s' * (fitting == 1)} into {time}"
        f"{_sure(seeds[fitting - 1], budget_s)}; the {_ordinal(fitting + 1)} is done after {duration(late.ends.value)} "
        f"({interval(late.ends)})."
    )


def _sure(last: "Seed", budget_s: float) -> str:
    if last.ends.high <= budget_s:
        return ""
    return f", the last of them perhaps not: it is done after {interval(last.ends)}"


def _first_arms(plan: "SuitePlan", seed: "Seed", budget_s: float) -> str:
    from resbench.execution.fitting import arms_within

    found = [arm.label for arm in arms_within(plan.lines, budget_s, seed.number)]
    arms = f"of the first, {', '.join(found)} fit{'s' * (len(found) == 1)}" if found else "no arm does"
    return (
        f"Not one seed of every arm fits into {duration(budget_s)}: {arms}. The first seed is done after "
        f"{duration(seed.ends.value)} ({interval(seed.ends)})."
    )


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _measured(answer: Answer, plan: "SuitePlan") -> Iterator[str]:
    if plan.drift is not None:
        visits = len(next(iter(plan.forecasts.values())).parts.visits)
        yield (
            f"Measured now: about {answer.measure_s:g} s of steps of each arm in {visits} visits, between which the others "
            f"ran, n in the table; one checkpoint and some test batches; pictures: {', '.join(plan.feeds)}."
        )
        if away := [one.parts.off for one in plan.forecasts.values() if one.parts.off]:
            yield (
                "Arms marked 'ledger' were not measured: they lie on the line through the operations of two arms of their "
                f"family, and may be off by {percent(max(away), 0)} more, by what a third lies off it."
            )
        yield (
            f"Ranges are 95 % intervals: of the steps within a visit, and of the pace, which changed by "
            f"{percent(plan.drift.deviation, 1)} from visit to visit (one deviation, {plan.drift.freedom} degrees of freedom). "
            f"{_floor(plan)}"
        )
    if plan.foreign_cores is not None and plan.foreign_cores > FOREIGN_CORES:
        yield (
            f"Other programs kept {plan.foreign_cores:.1f} cores busy meanwhile: these are times of a machine that is shared so, and "
            "a quiet one takes less. Plan again when it is quiet, or when they are what will run beside the suite."
        )
    if plan.profiles:
        yield (
            f"{len(plan.profiles)} profiles: between the least and the most that their rules for warm-up and sampling allow; "
            "what they do beside that was timed for one."
        )
    if plan.once_s:
        yield f"Of the whole, {duration(plan.once_s)} go into files of scaled pictures before the first run."
    yield "Writing the report is not counted."


def _floor(plan: "SuitePlan") -> str:
    if plan.floor:
        return f"Drift is taken to be no less than this machine's noise floor, {percent(plan.floor, 1)}."
    return "Slower changes of the machine are not in them: 'resbench noise' was not run here, and no noise floor is known."


def _disk(plan: "SuitePlan") -> str:
    parts = (
        [f"checkpoints {plan.checkpoint_bytes / MIB:,.0f} MiB while a run is under way"]
        if plan.forecasts
        else []
    )
    if plan.store_B:
        parts.append(f"files of scaled pictures {plan.store_B / MIB:,.0f} MiB, kept in the user's cache")
    parts.append(f"results about {plan.result_bytes / MIB:,.1f} MiB")
    return f"Disk: {'; '.join(parts)}."


def _energy(answer: Answer) -> Iterator[str]:
    plan = answer.plan
    if answer.energy:
        yield f"Energy: not measured: {answer.energy}."
    elif plan is not None and any(one.joules for one in plan.forecasts.values()):
        yield "Energy: the measured power of the steps times the time of the run; what the idle device draws is part of it."


def _before(answer: Answer) -> Iterator[str]:
    diverged, elsewhere = answer.uncompared
    if answer.compared:
        yield "Predicted was what a result states as its time: without reading pictures before it begins."
    if diverged or elsewhere:
        yield (
            f"Not compared with what was predicted: {diverged} of these runs diverged and ended early; {elsewhere} took place on "
            "another machine than the one they were predicted for."
        )
    elif answer.plan is None and not answer.compared:
        yield f"{answer.store} holds no run of these that was predicted before: 'resbench plan' without --compare predicts."
