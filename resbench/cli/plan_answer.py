"""What `resbench plan` found, for its views."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from resbench.cli.plan_outlook import Questions, Shown, what_shows
from resbench.results import Result
from resbench.specs import Arm, Suite

if TYPE_CHECKING:
    from resbench.execution.fitting import Seed
    from resbench.execution.predictions import Uncompared
    from resbench.execution.suite_plan import SuitePlan
    from resbench.store.forecasts import Predicted


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A suite's plan, and what of earlier plans has a result.

    Attributes:
        questions: the experiments in the order they run, each with its arm.
        known: those that have a result, by the key.
        amount: the scale as `--scale` takes it.
        labels: of the data.
        budget_s: the time there is, or None.
        measure_s: seconds that each arm's steps were watched.
        plan: None where nothing was to be measured.
        energy: why none was measured; empty where it was.
        compared: of each arm with results that were predicted, both of each run.
        uncompared: how many results of what was predicted are left out there.
        store: as it was named.
    """

    suite: Suite
    arms: tuple[Arm, ...]
    questions: Questions
    known: Mapping[str, Result]
    amount: str
    labels: tuple[str, ...]
    device: str
    budget_s: float | None
    measure_s: float
    plan: "SuitePlan | None"
    energy: str
    compared: "tuple[tuple[Arm, tuple[tuple[Predicted, Result], ...]], ...]"
    uncompared: "Uncompared"
    store: str

    @property
    def seeds(self) -> "tuple[Seed, ...]":
        """The seeds in the order they run, with the time when each is done."""
        from resbench.execution.fitting import seeds_of

        return seeds_of(self.plan.lines) if self.plan is not None else ()

    @property
    def fitting(self) -> int:
        """How many seeds of every arm there will be: those that fit, where there is a budget."""
        from resbench.execution.fitting import within

        return len(self.seeds) if self.budget_s is None else within(self.seeds, self.budget_s)

    @cached_property
    def shows(self) -> Shown | None:
        """What those seeds can show; None where nothing is trained."""
        return what_shows(self.suite, self.questions, self.known, self.fitting) if self.seeds else None
