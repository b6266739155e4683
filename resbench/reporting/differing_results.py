"""In what the results of a report differ beside what was asked: to be read before they are compared."""

from collections.abc import Iterator, Mapping, Sequence

from resbench.reporting.markdown import blocks, table
from resbench.reporting.selection import Selection
from resbench.results import Result, differences

_OWN = ("model",)
"""Arms are other networks on purpose."""
_SILENT = "not recorded"
_NAMED = 4
"""Up to so many results are named beside a value."""


def differing_results(selection: Selection) -> str:
    """Return the table of all fields of machine, software, settings and state that differ; empty where none does.

    Profiles are held against profiles, trainings against trainings, and tests of weights against tests.
    """
    profiles = [selection.profiled[arm.id] for arm in selection.arms if arm.id in selection.profiled]
    trainings = [result for arm in selection.arms for result in selection.trained.get(arm.id, ())]
    tests = [result for arm in selection.arms for result in selection.tested.get(arm.id, ())]
    names = {result.key: _named(result, selection.labels) for result in (*profiles, *trainings, *tests)}
    rows = [
        row
        for what, results in (("profiles", profiles), ("trainings", trainings), ("tests", tests))
        for row in _rows(what, results, names)
    ]
    if not rows:
        return ""
    note = "The results below were not all made alike. What differs, as it was recorded, before they are compared:"
    return blocks(note, table(("Of", "Kind", "What differs", "Values"), rows))


def _named(result: Result, labels: Mapping[str, str]) -> str:
    seed = f", seed {result.experiment['seed']}" if result.experiment["recipe"] else ""
    return f"{labels[result.key]}{seed}"


def _rows(
    what: str, results: Sequence[Result], names: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each field that is not the same in all results: each value once, with those that have it."""
    values: dict[tuple[str, str], dict[str, str | None]] = {}
    for result in results[1:]:
        for found in differences(results[0].environment, result.environment):
            if found.kind not in _OWN:
                said = values.setdefault((found.kind, found.name), {results[0].key: found.first})
                said[result.key] = found.second
    for (kind, name), said in values.items():
        holders: dict[str, list[str]] = {}
        for result in results:
            value = said.get(result.key, said[results[0].key])  # who is not among them agrees with the first
            holders.setdefault(_SILENT if value is None else value, []).append(names[result.key])
        yield what, kind, name, "; ".join(f"{value} ({_some(who)})" for value, who in holders.items())


def _some(several: Sequence[str]) -> str:
    who = list(dict.fromkeys(several))  # an arm is tested in several ways
    more = f" and {len(who) - _NAMED} more" if len(who) > _NAMED else ""
    return f"{', '.join(who[:_NAMED])}{more}"
