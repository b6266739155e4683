"""A measurement beside an earlier one, read from the JSON of `resbench profile`: what differs, and the ratio."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from resbench.errors import UsageError
from resbench.metrics.latency.intervals import Estimate, median_over_processes
from resbench.results import Difference, Environment, differences
from resbench.trial.case import Case, case_differences
from resbench.trial.records import AS_TIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One case of an earlier measurement.

    Attributes:
        latencies_s: of single calls, by fresh process.
        started: when, in UTC, ISO 8601; empty where the file does not say.
        clock: what the latencies are, as `resbench.trial.records.Arm.clock` says it.
    """

    case: Case
    environment: Environment
    latencies_s: tuple[tuple[float, ...], ...]
    started: str = ""
    clock: str = AS_TIMED


class Against(NamedTuple):
    """A case now beside a case then.

    Attributes:
        differences: of the cases and of their environments: to be read before the ratio.
        speed: how many times as fast it is now, per image, with a 95 % interval.
        calls: that stand behind it now.
    """

    now: Case
    then: Earlier
    differences: tuple[Difference, ...]
    speed: Estimate
    calls: int


def read_earlier(file: Path) -> tuple[Earlier, ...]:
    """Return the cases that a file of `resbench profile --format json` holds; those that failed are left out.

    Raises:
        UsageError: it can't be read, or holds something else.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--against '{file}' can't be read: {error.strerror}") from error
    except ValueError as error:
        raise _no_profile(file) from error
    try:
        cases = data.get("cases", [data])
        found = tuple(_earlier(each, data) for each in cases if each["samples_by_process"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_profile(file) from error
    if not found:
        raise UsageError(f"--against '{file}' holds no case that was measured")
    return found


def _no_profile(file: Path) -> UsageError:
    return UsageError(
        f"--against '{file}' is no profile: give what 'resbench profile ... --format json' printed"
    )


def _earlier(data: Mapping[str, Any], whole: Mapping[str, Any]) -> Earlier:
    known = {field.name for field in fields(Case)}
    asked = {name: value for name, value in data.items() if name in known}
    channels, height, width = map(int, data["input"].split("x"))
    recorded = {field.name for field in fields(Environment)}
    own = {"settings": data["settings"], "model": data["fingerprint"]} if whole is not data else {}
    environment = {name: value for name, value in whole["environment"].items() if name in recorded}
    return Earlier(
        case=Case(**{**asked, "input_CHW": (channels, height, width)}),
        environment=Environment(**{**environment, **own}),
        latencies_s=tuple(tuple(map(float, samples)) for samples in data["samples_by_process"]),
        started=str(whole.get("started", "")),
        clock=_clock(data),
    )


def _clock(data: Mapping[str, Any]) -> str:
    """Return what a case's latencies are, from how their median is said to have been found."""
    found = re.search(r"pace \((.*?)\)", str((data.get("latency") or {}).get("method", "")))
    return f"at a pace of {found[1]}" if found else AS_TIMED


def match(cases: Sequence[Case], earlier: Sequence[Earlier]) -> dict[int, Earlier]:
    """Return, by the place of a case, what it is compared with: the same case; or, of one each, the only other.

    Raises:
        UsageError: no case has its like.
    """
    if len(cases) == len(earlier) == 1:
        return {0: earlier[0]}
    by_case = {each.case: each for each in earlier}
    found = {place: by_case[case] for place, case in enumerate(cases) if case in by_case}
    if not found:
        labels = "; ".join(each.case.label for each in earlier)
        raise UsageError(f"--against holds none of the cases that are asked for, but {labels}")
    return found


def check_machine(machine_id: str, earlier: Sequence[Earlier], file: Path) -> None:
    """Refuse to compare machines.

    Raises:
        UsageError: a case was measured on another machine than this one.
    """
    other = next((each for each in earlier if each.environment.machine_id != machine_id), None)
    if other is not None:
        where = other.environment.machine.get("gpu") or other.environment.machine.get("cpu", "unknown")
        raise UsageError(
            f"--against '{file}' was measured on another machine ({where}): a ratio would compare machines; "
            "--across-machines says that this is meant"
        )


def compare(
    now: Case,
    environment: Environment,
    latencies_s: Sequence[Sequence[float]],
    then: Earlier,
    clock: str = AS_TIMED,
) -> Against:
    """Return a case beside an earlier one.

    No rounds lay side by side: the interval holds the spread of the processes of both, and nothing of what the machine did
    between the two. Latencies that are not of one clock are said to differ.
    """
    ours, theirs = median_over_processes(latencies_s), median_over_processes(then.latencies_s)
    middle = math.log(theirs.value / ours.value * now.batch_size / then.case.batch_size)
    half = math.hypot(*(math.log(each.high / each.low) / 2 for each in (ours, theirs)))
    clocks = (Difference("case", "latency", then.clock, clock),) * (then.clock != clock)
    found = (*case_differences(then.case, now), *clocks, *differences(then.environment, environment))
    speed = Estimate(*(math.exp(middle + end) for end in (0.0, -half, half)))
    return Against(now, then, found, speed, sum(map(len, latencies_s)))
