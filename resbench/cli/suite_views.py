"""A suite as `resbench show suite` prints it: question, recipe, arms and published figures."""

import math
from typing import Any

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.results import plain
from resbench.specs import Arm, Suite
from resbench.specs.overriding import changes


def print_suite(suite: Suite, output: Format) -> None:
    """Print a suite: a table for a person, everything for a program."""
    if output is Format.JSON:
        print_json(_without_nan(plain(suite)))
        return
    records = [record for arm in suite.arms for record in _records(suite, arm, runs="yes")]
    records += [record for arm in suite.extra for record in _records(suite, arm, runs="where named")]
    if output is Format.TABLE:
        print_line(_head(suite))
        print_line("")
    print_records(records, output)


def _without_nan(data: Any) -> Any:
    """Return plain data with null where a published 'fail' has no number: JSON knows no NaN."""
    if isinstance(data, dict):
        return {name: _without_nan(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and math.isnan(data) else data


def _head(suite: Suite) -> str:
    lines = [suite.title, "", suite.question, "", f"Source   {suite.source.title}, {suite.source.where}"]
    if suite.data:
        lines.append(f"Data     {suite.data}")
    if suite.recipe:
        lines.append(
            f"Recipe   {suite.recipe.name}: {suite.recipe.source.title}, {suite.recipe.source.where}"
        )
    lines += [
        f"Done     each arm is {suite.kind}{' and profiled' if suite.recipe and suite.profiling else ''}"
    ]
    return "\n".join(lines)


def _records(suite: Suite, arm: Arm, *, runs: str) -> list[Record]:
    base = {"arm": arm.id, "label": arm.label, "runs": runs, "differs": _differs(suite, arm)}
    figures = [
        {
            "metric": figure.metric,
            "published": figure.printed,
            "statistic": str(figure.statistic),
            "n": "" if figure.n is None else str(figure.n),
            "where": f"{figure.source.title.partition(':')[0]}, {figure.source.where}",
        }
        for figure in arm.published
    ]
    nothing = {"metric": "", "published": "", "statistic": "", "n": "", "where": ""}
    return [{**base, **figure} for figure in figures or [nothing]]


def _differs(suite: Suite, arm: Arm) -> str:
    """Return what an arm has otherwise than the suite."""
    found = []
    recipe = suite.recipe_of(arm)
    if recipe and suite.recipe and recipe is not suite.recipe:
        found += [f"{change.field}={change.asked}" for change in changes(suite.recipe, recipe)]
    if arm.data and arm.data != suite.data:
        found.append(f"data={arm.data}")
    if arm.processes != 1:
        found.append(f"processes={arm.processes}")
    if arm.weights:
        found.append(f"weights={arm.weights}")
    return " ".join(found)
