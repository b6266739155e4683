"""What `resbench profile` is asked for besides the cases: how much effort, and what else is shown."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from resbench.trial.plan import QUICK, STANDARD, Plan


class Effort(NamedTuple):
    """How much is measured; None: as the plan has it."""

    quick: bool
    precision: float | None
    budget_s: float | None
    processes: int | None

    def plan(self, seed: int) -> Plan:
        """Return the plan; the seed decides the order of the rounds."""
        plan = QUICK if self.quick else STANDARD
        stop = replace(
            plan.stop,
            precision=plan.stop.precision if self.precision is None else self.precision,
            budget_s=plan.stop.budget_s if self.budget_s is None else self.budget_s,
        )
        return replace(plan, stop=stop, processes=self.processes or plan.processes, seed=seed)


class Extras(NamedTuple):
    """What is shown besides the table; `fits` is shown instead of it, and `against` compares with an earlier profile."""

    roofline: bool
    layers: bool
    trace: Path | None
    energy: bool
    fits: str
    against: Path | None = None
    across_machines: bool = False
    data: str = ""
    plot: Path | None = None

    @property
    def wants_roof(self) -> bool:
        """Whether the roof is to be measured, and not only used where it is known: a picture of it can't do without."""
        return self.roofline or self.plot is not None

    @property
    def inside(self) -> str:
        """Options that look inside a pass of eager inference, in words; empty where there are none."""
        return _joined(
            ("--layers", self.layers), ("--plot", self.plot is not None), ("--trace", self.trace is not None)
        )

    @property
    def of_one_case(self) -> str:
        """Options that need exactly one case, in words; empty where there are none."""
        return _joined((self.inside, bool(self.inside)), ("--energy", self.energy))


def _joined(*options: tuple[str, bool]) -> str:
    return " and ".join(name for name, wanted in options if wanted)
