"""What fits into a time: the experiments of a suite in the order they run, and when each is done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resbench.execution.forecast import Estimate, added
from resbench.results import Result
from resbench.specs import Arm, Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One experiment, in the order they run.

    Attributes:
        known: its result, where it is stored: it takes no time.
        left: seconds that it still takes, opening included; None where that was not predicted.
        ends: seconds after the start of the suite when it is done, those before it included.
    """

    arm: Arm
    experiment: Experiment
    known: Result | None
    left: Estimate | None
    ends: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """One seed of every arm.

    Attributes:
        ends: seconds after the start of the suite when the last arm of it is done.
        complete: whether every arm of it was predicted or is stored.
    """

    number: int
    ends: Estimate
    complete: bool

    def fits(self, budget_s: float) -> str:
        """Return whether it is done within a time: `yes`, even at the slow end of the interval; `likely`; or `no`.

        `unlikely` is one that would be done in time at the fast end alone.
        """
        if self.ends.high <= budget_s:
            return "yes"
        if self.ends.value <= budget_s:
            return "likely"
        return "unlikely" if self.ends.low <= budget_s else "no"


def in_order(
    questions: Iterable[tuple[Arm, Experiment]],
    known: Mapping[str, Result],
    left: Mapping[str, Estimate],
    start: Estimate,
) -> tuple[Line, ...]:
    """Return the experiments with the time when each is done.

    Args:
        questions: in the order they run.
        known: stored results, by the key of their experiment.
        left: seconds that each of the others still takes, by its key; those without one were not predicted.
        start: seconds before the first begins.
    """
    lines: list[Line] = []
    ends, before = start, set[str]()
    for arm, experiment in questions:
        result, seconds = known.get(experiment.key), left.get(experiment.key)
        # Two arms of one model share their profile.
        if result is None and seconds is not None and experiment.key not in before:
            ends = added((ends, seconds))
        before.add(experiment.key)
        lines.append(
            Line(
                arm=arm,
                experiment=experiment,
                known=result,
                left=None if result is not None else seconds,
                ends=ends,
            )
        )
    return tuple(lines)


def seeds_of(lines: Sequence[Line]) -> tuple[Seed, ...]:
    """Return the seeds in the order they run; none where nothing is trained."""
    found: dict[int, list[Line]] = {}
    for line in lines:
        if line.experiment.recipe is not None:
            found.setdefault(line.experiment.seed, []).append(line)
    return tuple(
        Seed(
            number=number,
            ends=of_seed[-1].ends,
            complete=all(line.known is not None or line.left is not None for line in of_seed),
        )
        for number, of_seed in found.items()
    )


def within(seeds: Sequence[Seed], budget_s: float) -> int:
    """Return how many seeds are done within a time, as far as can be told: those before the first that is not."""
    return sum(seed.ends.value <= budget_s for seed in seeds)


def arms_within(lines: Sequence[Line], budget_s: float, seed: int) -> tuple[Arm, ...]:
    """Return the arms that are done within a time, of one seed."""
    return tuple(
        line.arm
        for line in lines
        if line.experiment.recipe is not None
        and line.experiment.seed == seed
        and line.ends.value <= budget_s
        and (line.known is not None or line.left is not None)
    )
