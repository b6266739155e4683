"""A question, the arms that answer it, and what was published of each."""

from dataclasses import dataclass, replace
from enum import StrEnum

from resbench.errors import UsageError
from resbench.specs.experiment import Precision, Profiling
from resbench.specs.published import Published, Source
from resbench.specs.recipe import Recipe


class Kind(StrEnum):
    """What is done to each arm of a suite."""

    TRAINED = "trained"
    """Trained by its recipe and tested; profiled, too, where the suite says how."""
    COUNTED = "counted"
    """Its parameters and operations are counted: exact, the same everywhere, no data and no time."""
    TIMED = "timed"
    """Profiled on this machine."""
    EVALUATED = "evaluated"
    """Weights trained by others are tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One line of a suite's table: a model under one treatment, and what was published of it.

    Attributes:
        model: a catalogued name.
        label: what the table calls it.
        published: what was published of it.
        name: tells two arms of one model apart; empty: the model's name.
        recipe: where it differs from the suite's. Two arms of one model need recipes of different names.
        data: where it differs from the suite's.
        profiling: where it differs from the suite's.
        precision: the arithmetic of its model.
        processes: over how many processes each training batch is split.
        weights: name or file of the weights that an evaluated arm has.
    """

    model: str
    label: str
    published: tuple[Published, ...] = ()
    name: str = ""
    recipe: Recipe | None = None
    data: str = ""
    profiling: Profiling | None = None
    precision: Precision = Precision.FP32
    processes: int = 1
    weights: str = ""

    @property
    def id(self) -> str:
        """Return what the arm is called on the command line."""
        return self.name or self.model

    def figure(self, metric: str) -> Published | None:
        """Return the published figure of `metric`, or None; of several, the first is the one to compare with."""
        return next((figure for figure in self.published if figure.metric == metric), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A question, the arms that answer it, and what was published.

    Attributes:
        name: as on the command line.
        title, question: for the head of the report.
        source: where the comparison was published.
        arms: what is run where nothing else is said; the first is what the others are compared with.
        extra: further arms, run only where they are named.
        kind: what is done to each arm.
        data: the data set's name for `--data` and `resbench data`: `voc0712`, `cifar10`, `cifar100`, `imagenet`; empty: none
            is needed.
        recipe: how arms are trained that say nothing else.
        profiling: how arms are profiled that say nothing else; None: they are not.
        flops_convention: the convention in which the published table counts.
        metric: what the suite is about, among those of `Published`.
        curves: file name, inside `resbench.suites`, of published learning curves (CSV), or empty.
    """

    name: str
    title: str
    question: str
    source: Source
    arms: tuple[Arm, ...]
    extra: tuple[Arm, ...] = ()
    kind: Kind = Kind.TRAINED
    data: str = ""
    recipe: Recipe | None = None
    profiling: Profiling | None = None
    flops_convention: str = "core"
    metric: str = "top1_error"
    curves: str = ""

    def __post_init__(self) -> None:
        """Refuse a suite in which an arm can't be told from another, or can't be run.

        Raises:
            ValueError: two arms have one name or one question, or an arm lacks its recipe, data or profiling.
        """
        every = (*self.arms, *self.extra)
        ids = [arm.id for arm in every]
        if twice := {found for found in ids if ids.count(found) > 1}:
            raise ValueError(f"suite {self.name}: two arms are named {', '.join(sorted(twice))}")
        if self.kind is Kind.TRAINED:
            asked = [self._question(arm) for arm in every]
            if len(set(asked)) < len(asked):
                raise ValueError(f"suite {self.name}: two arms ask the same")
        if self.kind in (Kind.COUNTED, Kind.TIMED) and not all(map(self.profiling_of, every)):
            raise ValueError(f"suite {self.name}: an arm lacks its profiling")
        if self.kind is Kind.EVALUATED and not (self.data and all(arm.weights for arm in every)):
            raise ValueError(f"suite {self.name}: evaluating needs data and weights")

    def _question(self, arm: Arm) -> tuple[str, ...]:
        recipe, data = self.recipe_of(arm), self.data_of(arm)
        if recipe is None or not data:
            raise ValueError(f"suite {self.name}: {arm.id} lacks its recipe or its data")
        return (arm.model, recipe.name, data, arm.precision, str(arm.processes))

    def recipe_of(self, arm: Arm) -> Recipe | None:
        """Return how an arm is trained; None where it is not."""
        return (arm.recipe or self.recipe) if self.kind is Kind.TRAINED else None

    def data_of(self, arm: Arm) -> str:
        """Return the data set of an arm."""
        return arm.data or self.data

    def profiling_of(self, arm: Arm) -> Profiling | None:
        """Return how an arm is profiled; None where it is not."""
        return arm.profiling or self.profiling

    def as_asked_of(self, arm: Arm) -> "Suite":
        """Return the suite of this arm alone, with its recipe, data and profiling: what its figures are compared by."""
        return replace(
            self,
            arms=(arm,),
            extra=(),
            recipe=self.recipe_of(arm),
            data=self.data_of(arm),
            profiling=self.profiling_of(arm),
        )

    @property
    def is_uniform(self) -> bool:
        """Whether its default arms differ in their models alone."""
        return len({arm.model for arm in self.arms}) == len(self.arms) and not any(
            arm.recipe or arm.data or arm.profiling or arm.processes != 1 for arm in self.arms
        )

    @property
    def differ_in(self) -> tuple[str, ...]:
        """In which of `precision` and `processes` its arms differ."""
        every = (*self.arms, *self.extra)
        found = {
            "precision": len({arm.precision for arm in every}),
            "processes": len({arm.processes for arm in every}),
        }
        return tuple(name for name, count in found.items() if count > 1)

    def chosen(self, names: tuple[str, ...]) -> tuple[Arm, ...]:
        """Return the arms of those names or models, in the suite's order; its default arms where none is named.

        Raises:
            UsageError: a name is no arm of this suite, and no arm's model.
        """
        every = (*self.arms, *self.extra)
        known = dict.fromkeys([*(arm.id for arm in every), *(arm.model for arm in every)])
        for name in names:
            if name not in known:
                raise UsageError(
                    f"suite '{self.name}' has no model '{name}': choose from {', '.join(arm.id for arm in every)}"
                )
        if not names:
            return self.arms
        return tuple(arm for arm in every if arm.id in names or arm.model in names)
