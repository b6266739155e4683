"""A plan for programs: everything as JSON, the arms as CSV; seconds, joules, bytes and shares."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from resbench.cli.output import Record
from resbench.cli.plan_answer import Answer

if TYPE_CHECKING:
    from resbench.cli.plan_outlook import Shown
    from resbench.execution.forecast import Estimate
    from resbench.execution.suite_plan import SuitePlan


def arm_records(answer: Answer) -> list[Record]:
    """Return a record for each arm that still trains, in base units."""
    if answer.plan is None:
        return []
    return [
        {
            "arm": name,
            "images_per_run": found.images,
            "steps_timed": 0 if found.parts.off else sum(map(len, found.parts.visits)),
            "off": found.parts.off,
            "step_s": found.parts.step_s,
            "start_s": found.parts.start_s,
            "epoch_s": found.parts.epoch_s,
            "test_start_s": found.parts.test_start_s,
            "test_batch_s": found.parts.test_batch_s,
            "opening_s": found.parts.opening_s,
            "run_s": found.run.value,
            "run_low_s": found.run.low,
            "run_high_s": found.run.high,
            "runs_left": sum(line.arm.id == name and line.left is not None for line in answer.plan.lines),
            "run_J": found.joules.value if found.joules else None,
            "run_low_J": found.joules.low if found.joules else None,
            "run_high_J": found.joules.high if found.joules else None,
            "checkpoint_B": found.parts.checkpoint_B,
        }
        for name, found in answer.plan.forecasts.items()
    ]


def as_json(answer: Answer) -> Mapping[str, Any]:
    """Return everything that is known of a plan."""
    plan = answer.plan
    return {
        "suite": answer.suite.name,
        "scale": answer.amount,
        "data": list(answer.labels),
        "device": answer.device,
        "budget_s": answer.budget_s,
        **({} if plan is None else _planned(answer, plan)),
        "shows": _shown(answer.shows),
        "predicted_and_actual": [
            {"arm": arm.id, **asdict(told), "took": result.seconds}
            for arm, pairs in answer.compared
            for told, result in pairs
        ],
        "not_compared": answer.uncompared._asdict(),
    }


def _planned(answer: Answer, plan: "SuitePlan") -> dict[str, Any]:
    return {
        "total_s": _ends(plan.total),
        "seeds_that_fit": answer.fitting,
        "seeds": [{"seed": seed.number, "done_s": _ends(seed.ends)} for seed in answer.seeds],
        "arms": arm_records(answer),
        "experiments": [
            {
                "arm": line.arm.id,
                "key": line.experiment.key,
                "seed": line.experiment.seed,
                "does": "train" if line.experiment.recipe else "profile",
                "stored": line.known is not None,
                "left_s": None if line.left is None else _ends(line.left),
                "done_s": _ends(line.ends),
            }
            for line in plan.lines
        ],
        "once_s": plan.once_s,
        "checkpoint_bytes": plan.checkpoint_bytes,
        "store_bytes": plan.store_B,
        "result_bytes": plan.result_bytes,
        "drift": None if plan.drift is None else plan.drift._asdict(),
        "noise_floor": plan.floor or None,
        "foreign_cores": plan.foreign_cores,
        "energy_not_measured": answer.energy or None,
    }


def _ends(found: "Estimate") -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _shown(shows: "Shown | None") -> dict[str, Any] | None:
    if shows is None:
        return None
    return {
        "n": shows.n,
        "not_comparable": shows.not_comparable or None,
        "between_arms": shows.between or None,
        "published": [
            {
                "arm": one.planned.arm,
                "metric": one.planned.published.metric,
                "printed": one.planned.published.printed,
                "statistic": str(one.planned.published.statistic),
                "n": one.planned.n,
                "deviation": one.deviation,
                "deviation_from": one.known_from or None,
                "called_worse_from": one.smallest,
                "reproduced_if_equal": one.reproduced,
                "runs_for_80_percent": one.needed,
                "no_outlook": one.reason or None,
            }
            for one in shows.against
        ],
    }
