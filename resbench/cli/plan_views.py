"""A plan as it is printed: the arms, the seeds, what fits, what it can show, and what was predicted before."""

from statistics import fmean
from typing import TYPE_CHECKING

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.cli.plan_answer import Answer
from resbench.cli.plan_json import arm_records, as_json
from resbench.cli.plan_words import interval, sentences
from resbench.specs import Arm
from resbench.statistics.verdicts import shown
from resbench.units import duration, percent

if TYPE_CHECKING:
    from resbench.execution.forecast import Estimate
    from resbench.execution.suite_plan import Forecast, SuitePlan
    from resbench.statistics.outlook import Outlook


def print_plan(answer: Answer, output: Format) -> None:
    """Print a plan: tables and sentences for a person, everything or the arms for a program."""
    if output is Format.JSON:
        print_json(as_json(answer))
        return
    if output is Format.CSV:
        print_records(arm_records(answer), output)
        return
    for title, records in (
        (_title(answer), _arms(answer)),
        ("Seed by seed", _seeds(answer)),
        ("What the published figures allow", _outlooks(answer)),
        ("Predicted and actual", _compared(answer)),
    ):
        if records:
            _print(records, title, output)
    for sentence in sentences(answer):
        print_line(f"* {sentence}" if output is Format.MARKDOWN else sentence)


def _print(records: list[Record], title: str, output: Format) -> None:
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(records, output, title=title)
    print_line("")


def _title(answer: Answer) -> str:
    data = f" on {', '.join(answer.labels)}" if answer.labels else ""
    return f"{answer.suite.name}, scale {answer.amount}{data}, {answer.device}"


def _arms(answer: Answer) -> list[Record]:
    return [] if answer.plan is None else [_arm(answer, arm, answer.plan) for arm in answer.arms]


def _arm(answer: Answer, arm: Arm, plan: "SuitePlan") -> Record:
    lines = [line for line in plan.lines if line.arm.id == arm.id and line.experiment.recipe is not None]
    stored, found = sum(line.known is not None for line in lines), plan.forecasts.get(arm.id)
    record: dict[str, object] = {"arm": arm.label, "runs": _runs(len(lines), stored)}
    left = [line.left for line in lines if line.left is not None]
    if found is None:
        why = "stored" if stored == len(lines) else "not predicted"
        record |= {
            "images_per_second": "",
            "one_run": why if lines else "not trained",
            "from_to": "",
            "left": "",
        }
    else:
        record |= {
            "images_per_second": _rate(found, lines[0].experiment.recipe.train_batch),  # type: ignore[union-attr]
            "one_run": duration(found.run.value),
            "from_to": interval(found.run),
            "left": duration(sum(one.value for one in left)),
        }
    if not answer.energy:
        joules = found.joules if found else None
        record["energy_a_run"] = "" if joules is None else _energy(joules)
    return record


def _energy(joules: "Estimate") -> str:
    value, low, high = (end / 3.6e6 for end in joules)
    return f"{value:.3g} kWh ({low:.3g} to {high:.3g})"


def _runs(count: int, stored: int) -> str:
    return f"{count}, {stored} stored" if stored else str(count)


def _rate(found: "Forecast", batch: int) -> str:
    rate = f"{batch / found.parts.step_s:.3g}"
    return f"{rate} (ledger)" if found.parts.off else f"{rate} (n = {sum(map(len, found.parts.visits))})"


def _seeds(answer: Answer) -> list[Record]:
    budget_s = answer.budget_s
    if len(answer.seeds) < 2 and budget_s is None:
        return []
    return [
        {
            "seed": str(seed.number),
            "every_arm_done_after": duration(seed.ends.value)
            if seed.complete
            else f"over {duration(seed.ends.value)}",
            "from_to": interval(seed.ends),
            **({} if budget_s is None else {f"within {duration(budget_s)}": seed.fits(budget_s)}),
        }
        for seed in answer.seeds
    ]


def _outlooks(answer: Answer) -> list[Record]:
    shows = answer.shows
    return [] if shows is None else [_outlook(one) for one in shows.against]


def _outlook(one: "Outlook") -> Record:
    published = one.planned.published
    points = "" if one.smallest is None else f"{100 * one.smallest:.2g} points"
    return {
        "arm": one.planned.arm,
        "published": f"{shown(published.value, published)} ({published.statistic})",
        "runs": str(one.planned.n),
        "called_worse_from": points,
        "reproduced_if_equal": "" if one.reproduced is None else percent(one.reproduced, 0),
        "runs_for_80_%": _needed(one),
        "deviation": one.reason or f"{100 * (one.deviation or 0):.2g} points, {one.known_from}",
    }


def _needed(one: "Outlook") -> str:
    if one.reason:
        return ""
    return "none are enough" if one.needed is None else str(one.needed)


def _compared(answer: Answer) -> list[Record]:
    records: list[Record] = []
    for arm, pairs in answer.compared:
        told, took = fmean(one.seconds for one, _ in pairs), fmean(result.seconds for _, result in pairs)
        low, high = fmean(one.low for one, _ in pairs), fmean(one.high for one, _ in pairs)
        each = [result.seconds / one.seconds for one, result in pairs]
        records.append(
            {
                "arm": arm.label,
                "runs": str(len(pairs)),
                "predicted": duration(told),
                "from_to": f"{duration(low)} to {duration(high)}",
                "took": duration(took),
                "ratio": f"{took / told:.2f}",
                "of_single_runs": f"{min(each):.2f} to {max(each):.2f}" if len(each) > 1 else "",
            }
        )
    return records
