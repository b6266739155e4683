"""Which stored results a report shows, and what it must say about them before anything else."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resbench.reporting.run_settings import alike_set, asks_as, is_less, parts_in
from resbench.results import Result, digest, plain
from resbench.specs import Arm, Kind, Precision, Scale, Suite
from resbench.specs.recipe_names import Parts
from resbench.statistics.verdicts import training_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The results of one run of a suite: one question but for what its arms differ in, and the seed.

    Attributes:
        trained: of each arm, by its `id`, its training results in the order of their seeds; no entry where there are none.
        profiled: of each arm, its profiling (or counting) result.
        tested: of each arm of a suite that evaluates, a result for each way it was tested.
        left_out: how many results of this suite and scale differ in data, recipe, precision, device or machine.
    """

    suite: Suite
    arms: tuple[Arm, ...]
    scale: Scale
    trained: Mapping[str, tuple[Result, ...]]
    profiled: Mapping[str, Result]
    left_out: int
    tested: Mapping[str, tuple[Result, ...]] = field(default_factory=dict)

    @property
    def results(self) -> tuple[Result, ...]:
        """All that is shown, arm by arm: the profile, then the trainings."""
        found: list[Result] = []
        for arm in self.arms:
            found += [self.profiled[arm.id]] if arm.id in self.profiled else []
            found += self.trained.get(arm.id, ())
            found += self.tested.get(arm.id, ())
        return tuple(found)

    @property
    def first_trained(self) -> Result | None:
        """A training result that stands for all in what they share: data, recipe, precision, device."""
        return next((result for results in self.trained.values() for result in results), None)

    @property
    def data(self) -> tuple[Mapping[str, Any], ...]:
        """The identity of each data set that something was trained on."""
        runs = (result for results in self.trained.values() for result in results)
        return tuple({digest(run.experiment["data"]): run.experiment["data"] for run in runs}.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of the arms that were not trained."""
        return tuple(arm.label for arm in self.arms if arm.id not in self.trained)

    @property
    def labels(self) -> dict[str, str]:
        """The label of each result's arm, by the result's key."""
        found = {self.profiled[arm.id].key: arm.label for arm in self.arms if arm.id in self.profiled}
        for arm in self.arms:
            runs = (*self.trained.get(arm.id, ()), *self.tested.get(arm.id, ()))
            found |= {result.key: arm.label for result in runs}
        return found

    @property
    def amount(self) -> str:
        """The scale as `--scale` takes it: a share of a suite stands in the names of its recipes."""
        if self.scale is not Scale.PART:
            return str(self.scale)
        shares = [
            f"{evaluation['limit'] / result.experiment['data']['test_samples']:g}"
            for results in self.tested.values()
            for result in results
            if (evaluation := result.experiment["evaluation"])["limit"]
        ]
        return next((amount for amount in (*(parts.amount for parts in self._named), *shares)), "part")

    @property
    def settings(self) -> tuple[str, ...]:
        """The fields of the recipes that were set otherwise, as `--set` takes them; an arm may have had one so before."""
        return tuple(dict.fromkeys(setting for parts in self._named for setting in parts.settings))

    @property
    def _named(self) -> list[Parts]:
        experiments = [result.experiment for results in self.trained.values() for result in results]
        return [parts for experiment in experiments if (parts := parts_in(self.suite, experiment))]


_KINDS = {"voc0712": "voc_crops"}
"""What reads a data set, where it isn't called like it."""


def belongs(suite: Suite, arm: Arm, experiment: Mapping[str, Any]) -> bool:
    """Whether an experiment is one of an arm's, at whatever scale, on whatever pictures and device."""
    if "precision" in suite.differ_in and experiment["precision"] != arm.precision:
        return False
    evaluation = experiment.get("evaluation")
    if suite.kind is Kind.EVALUATED or evaluation:
        asked = evaluation and (experiment["model"], evaluation["weights"], experiment["data"]["kind"])
        return suite.kind is Kind.EVALUATED and asked == (arm.model, arm.weights, suite.data_of(arm))
    if experiment["model"] != arm.model:
        return False
    apart = experiment["recipe"] and "processes" in suite.differ_in
    if apart and experiment.get("processes", 1) != arm.processes:
        return False
    if experiment["recipe"]:
        data = suite.data_of(arm)
        return asks_as(suite, arm, experiment) and experiment["data"]["kind"] == _KINDS.get(data, data)
    return bool(experiment["profiling"] == plain(suite.profiling_of(arm)))


def select(suite: Suite, arms: Sequence[Arm], results: Iterable[Result], scale: Scale) -> Selection:
    """Choose the results that belong together: those that ask what the latest one of their kind asks.

    Trainings may differ in seed and in what the arms differ in, profiles in what the arms differ in. Of two results with
    the same arm and seed, which a file put together by hand may hold, the later one is taken; and of two tests of an arm by
    the same views, with other weights in its file or scaled otherwise.
    """
    at_scale = [
        (arm, result)
        for result in sorted(results, key=lambda found: found.started)
        if result.experiment["scale"] == scale
        for arm in arms
        if belongs(suite, arm, result.experiment)
    ]
    trained = _alike_trained(suite, [pair for pair in at_scale if pair[1].experiment["recipe"]])
    profiled = _alike_profiled(suite, [pair for pair in at_scale if pair[1].experiment["profiling"]])
    tested = _alike_tested(suite, [pair for pair in at_scale if pair[1].experiment.get("evaluation")])
    by_seed = {(arm.id, result.experiment["seed"]): result for arm, result in trained}
    by_arm = {arm.id: result for arm, result in profiled}
    by_test = {(arm.id, digest(result.experiment["evaluation"]["tested"])): result for arm, result in tested}
    return Selection(
        suite=suite,
        arms=tuple(arms),
        scale=scale,
        trained={
            arm.id: found
            for arm in arms
            if (found := tuple(by_seed[key] for key in sorted(by_seed) if key[0] == arm.id))
        },
        profiled=by_arm,
        left_out=len(at_scale) - len(by_seed) - len(by_arm) - len(by_test),
        tested={
            arm.id: found
            for arm in arms
            if (found := tuple(result for (name, _), result in by_test.items() if name == arm.id))
        },
    )


_Pairs = list[tuple[Arm, Result]]


def _alike_trained(suite: Suite, pairs: _Pairs) -> _Pairs:
    """Keep those that share all that arms can't differ in, and then, of each recipe and data set, its latest form."""
    varying = ("recipe", "data", *suite.differ_in)
    shared = _alike(alike_set(suite, pairs), lambda experiment: _without(experiment, varying))
    groups: dict[tuple[str, str], _Pairs] = {}
    for pair in shared:
        experiment = pair[1].experiment
        recipe = suite.recipe_of(pair[0])
        group = (recipe.name if recipe else "", experiment["data"]["kind"])
        groups.setdefault(group, []).append(pair)
    return [
        pair
        for group in groups.values()
        for pair in _alike(group, lambda experiment: [experiment["recipe"], experiment["data"]])
    ]


def _alike_profiled(suite: Suite, pairs: _Pairs) -> _Pairs:
    varying = (*suite.differ_in, *(() if suite.is_uniform else ("profiling",)))
    return _alike(pairs, lambda experiment: _without(experiment, varying))


def _alike_tested(suite: Suite, pairs: _Pairs) -> _Pairs:
    shared = [field for field in ("device", "precision", "data") if field not in suite.differ_in]
    return _alike(
        pairs,
        lambda experiment: [*(experiment[field] for field in shared), experiment["evaluation"]["limit"]],
    )


def _alike(pairs: _Pairs, question: Callable[[Mapping[str, Any]], object]) -> _Pairs:
    """Keep the results that ask what the last one asks."""
    asked = [digest(question(result.experiment)) for _, result in pairs]
    return [pair for pair, one in zip(pairs, asked, strict=True) if one == asked[-1]]


def _without(experiment: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in experiment.items() if name not in ("model", "seed", *fields)}


def differences_of(selection: Selection, arm: Arm, result: Result) -> tuple[str, ...]:
    """Return what a training asked otherwise than the published figures of its arm did."""
    return training_differences(result.experiment, selection.suite.as_asked_of(arm))


def limits(selection: Selection) -> str:
    """Return what keeps the run from being compared with the published figures, as one line; empty if nothing does."""
    runs = [(arm, result) for arm in selection.arms for result in selection.trained.get(arm.id, ())]
    if selection.suite.kind is Kind.EVALUATED:
        return _limits_tested(selection)
    if not runs:
        return _limits_untrained(selection)
    differing = next(((pair, found) for pair in runs if (found := differences_of(selection, *pair))), None)
    if differing is None:
        return ""
    (arm, first), differences = differing
    place, official = _place_of(selection)
    scale = f"scale {selection.amount}" if selection.scale is not Scale.FULL else ""
    settings = "; ".join(setting.replace("=", " ", 1) for setting in selection.settings)
    how = "; ".join(filter(None, (scale, f"set otherwise: {settings}" if settings else "")))
    if how:
        kind = "Reduced" if scale or is_less(selection.suite, arm, first.experiment) else "Changed"
        return f"{kind} run ({how}), {place}. Not comparable with the published figures."
    if not official:
        return f"Full recipe, {place}. Not comparable with the published figures."
    return f"Differs from the published run: {'; '.join(differences)}. Not comparable with the published figures."


def _place_of(selection: Selection) -> tuple[str, bool]:
    """Return on what was trained, in words, and whether all of it is as published."""
    labels = list(dict.fromkeys(data["label"] for data in selection.data))
    official = all(data["official"] for data in selection.data)
    aside = {
        (True, True): ", which is not the published data set",
        (True, False): ", not all of which are the published data sets",
    }.get((not official, len(labels) == 1), "")
    return f"on {' and '.join(labels)}{aside}", official


def _limits_tested(selection: Selection) -> str:
    first = next((result for results in selection.tested.values() for result in results), None)
    if first is None:
        return ""
    data, precision = first.experiment["data"], first.experiment["precision"]
    if selection.scale is not Scale.FULL:
        return f"Reduced test (scale {selection.amount}), on {data['label']}. Not comparable with the published figures."
    if not data["official"]:
        return f"Tested on {data['label']}, which is not the published data set. Not comparable with the published figures."
    if precision != Precision.FP32 and "precision" not in selection.suite.differ_in:
        return f"Tested in {precision}. Not comparable with the published figures."
    return ""


def _limits_untrained(selection: Selection) -> str:
    if selection.scale is Scale.FULL or selection.suite.kind is Kind.COUNTED:
        return ""
    if selection.suite.kind is Kind.TIMED:
        return f"Reduced run (scale {selection.amount}): timed for less long than at scale full."
    return f"Reduced run (scale {selection.amount}); nothing was trained."
