"""A question, the arms that answer it, and what was published of each."""

from dataclasses import dataclass

from resbench.errors import UsageError
from resbench.specs.experiment import Profiling
from resbench.specs.published import Published, Source
from resbench.specs.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One model of a suite, the name its table gives it, and what was published of it."""

    model: str
    label: str
    published: tuple[Published, ...]

    def figure(self, metric: str) -> Published | None:
        """Return the published figure of `metric`, or None."""
        return next((figure for figure in self.published if figure.metric == metric), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A question, the arms that answer it, and what was published.

    Attributes:
        name: as on the command line.
        title, question: for the head of the report.
        data: the data set's name for `--data` and `resbench data`: `voc0712`, `cifar10`.
        profiling: how each arm is profiled.
        flops_convention: the convention in which the published table counts.
        curves: file name, inside `resbench.suites`, of published learning curves (CSV), or empty.
    """

    name: str
    title: str
    question: str
    data: str
    recipe: Recipe
    arms: tuple[Arm, ...]
    profiling: Profiling
    flops_convention: str
    source: Source
    curves: str = ""

    def chosen(self, models: tuple[str, ...]) -> tuple[Arm, ...]:
        """Return the arms of `models`, in the suite's order; all where none is named.

        Raises:
            UsageError: a model is not an arm of this suite.
        """
        known = {arm.model: arm for arm in self.arms}
        for model in models:
            if model not in known:
                raise UsageError(
                    f"suite '{self.name}' has no model '{model}': choose from {', '.join(known)}"
                )
        return tuple(arm for arm in self.arms if not models or arm.model in models)
