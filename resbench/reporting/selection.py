"""Which stored results a report shows, and what it must say about them before anything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resbench.results import Result, digest
from resbench.specs import Arm, Scale, Suite
from resbench.statistics.verdicts import training_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The results of one run of a suite: one question but for model and seed.

    Attributes:
        trained: of each model, its training results in the order of their seeds; no entry where there are none.
        profiled: of each model, its profiling result.
        left_out: how many results of this suite and scale differ in data, recipe, precision, device or machine.
    """

    suite: Suite
    arms: tuple[Arm, ...]
    scale: Scale
    trained: Mapping[str, tuple[Result, ...]]
    profiled: Mapping[str, Result]
    left_out: int

    @property
    def results(self) -> tuple[Result, ...]:
        """All that is shown, arm by arm: the profile, then the trainings."""
        found: list[Result] = []
        for arm in self.arms:
            found += [self.profiled[arm.model]] if arm.model in self.profiled else []
            found += self.trained.get(arm.model, ())
        return tuple(found)

    @property
    def first_trained(self) -> Result | None:
        """A training result that stands for all in what they share: data, recipe, precision, device."""
        return next((result for results in self.trained.values() for result in results), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of the arms that were not trained."""
        return tuple(arm.label for arm in self.arms if arm.model not in self.trained)


def select(suite: Suite, arms: Sequence[Arm], results: Iterable[Result], scale: Scale) -> Selection:
    """Choose the results that belong together: those that ask what the latest one of their kind asks.

    Trainings may differ in model and seed, profiles in model. Of two results with the same model and seed, which a
    file put together by hand may hold, the later one is taken.
    """
    models = {arm.model for arm in arms}
    at_scale = [
        result
        for result in sorted(results, key=lambda found: found.started)
        if result.experiment["scale"] == scale and result.experiment["model"] in models
    ]
    trained = _alike([result for result in at_scale if result.experiment["recipe"]])
    profiled = _alike([result for result in at_scale if result.experiment["profiling"]])
    by_seed = {(result.experiment["model"], result.experiment["seed"]): result for result in trained}
    by_model = {result.experiment["model"]: result for result in profiled}
    return Selection(
        suite=suite,
        arms=tuple(arms),
        scale=scale,
        trained={
            arm.model: found
            for arm in arms
            if (found := tuple(by_seed[key] for key in sorted(by_seed) if key[0] == arm.model))
        },
        profiled=by_model,
        left_out=len(at_scale) - len(by_seed) - len(by_model),
    )


def _alike(results: Sequence[Result]) -> list[Result]:
    questions = [digest(_shared(result.experiment)) for result in results]
    return [result for result, question in zip(results, questions, strict=True) if question == questions[-1]]


def _shared(experiment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in experiment.items() if name not in ("model", "seed")}


def limits(selection: Selection) -> str:
    """Return what keeps the run from being compared with the published figures, as one line; empty if nothing does."""
    first = selection.first_trained
    if first is None:
        reduced = selection.scale is not Scale.FULL
        return f"Reduced run (scale {selection.scale}); nothing was trained." if reduced else ""
    if not (differences := training_differences(first.experiment, selection.suite)):
        return ""
    data = first.experiment["data"]
    place = f"on {data['label']}" + ("" if data["official"] else ", which is not the published data set")
    if selection.scale is not Scale.FULL:
        return f"Reduced run (scale {selection.scale}), {place}. Not comparable with the published figures."
    if not data["official"]:
        return f"Full recipe, {place}. Not comparable with the published figures."
    return f"Differs from the published run: {'; '.join(differences)}. Not comparable with the published figures."
