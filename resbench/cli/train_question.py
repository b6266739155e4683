"""From the options of `resbench train` to one experiment, everything that can be wrong found out before it starts."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.status import status
from resbench.errors import UsageError
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.specs.overriding import override

if TYPE_CHECKING:
    from resbench.datasets.data import Data
    from resbench.store.store import Store

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What decides the run, as it was given."""

    model: str
    recipe: str
    settings: tuple[str, ...]
    data: Path | None
    scale: str
    seed: int
    device: str
    precision: Precision = Precision.FP32
    iterations: int | None = None
    budget_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An experiment, the data it is about, and the recipe as it was published."""

    experiment: Experiment
    data: "Data"
    published: Recipe

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is run."""
        if self.experiment.recipe is None:
            raise ValueError("a question about training has a recipe")
        return self.experiment.recipe

    @property
    def samples(self) -> int:
        """How many samples an epoch trains on."""
        limit = self.recipe.train_limit or len(self.data.train)
        return max(1, min(limit, len(self.data.train)) - self.recipe.validation)


def seconds_of(text: str) -> float:
    """Return the seconds of a time such as 90s, 30m, 1h30m; a bare number is seconds.

    Raises:
        UsageError: it is no such time.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    elif re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text)
    else:
        raise UsageError(f"--time-budget {text} is no time: write 90s, 30m or 1h30m")
    if seconds <= 0:
        raise UsageError(f"--time-budget {text} leaves no time")
    return seconds


def question_of(asked: Asked) -> Question:
    """Return the question at its scale; it is shortened to iterations, where they are given, but to no time budget.

    Raises:
        UsageError: something that was given can't be used.
    """
    from resbench.architectures.layers import layers_of
    from resbench.architectures.naming import find_architecture
    from resbench.execution.scaling import parse_amount, reduced
    from resbench.training.recipe_data import data_set_of, find_recipe

    if asked.iterations is not None and asked.budget_s is not None:
        raise UsageError("--iterations and --time-budget both say how long to train: give one of them")
    published = find_recipe(asked.recipe)
    data_set = data_set_of(published)
    architecture = find_architecture(asked.model)
    recipe = override(published, asked.settings)
    amount = parse_amount(asked.scale)
    if asked.data is None and amount.scale is not Scale.SMOKE:
        raise UsageError(
            f"{published.name} at scale {amount} needs real pictures: give --data DIR ('resbench data prepare "
            f"{data_set}' fetches them, or says which go where), or try --scale smoke on the built-in sample"
        )
    # The number of classes does not matter for whether a picture is large enough.
    layers_of(architecture, (3, recipe.pictures.crop, recipe.pictures.crop))
    device = _device(asked.device)
    data = _open(data_set, asked.data)
    recipe = reduced(recipe, amount, data.identity)
    layers_of(architecture, (3, recipe.pictures.crop, recipe.pictures.crop))
    experiment = Experiment(
        model=architecture.name,
        device=device,
        precision=asked.precision,
        seed=asked.seed,
        scale=amount.scale,
        recipe=recipe,
        data=data.identity,
    )
    question = Question(experiment=experiment, data=data, published=published)
    return question if asked.iterations is None else cut(question, asked.iterations)


def cut(question: Question, iterations: int) -> Question:
    """Return the question with its schedule cut to so many iterations, and a scale that says so.

    Raises:
        UsageError: the recipe is no longer than that.
    """
    from resbench.training.shortening import shortened

    recipe = shortened(question.recipe, iterations, question.samples)
    if recipe == question.recipe:
        return question
    scale = question.experiment.scale
    scale = Scale.PART if scale is Scale.FULL else scale
    return replace(question, experiment=replace(question.experiment, recipe=recipe, scale=scale))


def within(question: Question, budget_s: float, store: "Store", engine: Engine) -> tuple[Question, str]:
    """Return the question cut to what fits into a time, and a sentence on how that was decided.

    It is decided once for a question and a time and kept in the store, so that the same command goes on with it.

    Raises:
        UsageError: not one iteration (or epoch, of a recipe that counts them) fits.
    """
    from resbench.results import digest
    from resbench.training.pace import iterations_within
    from resbench.units import duration

    asked = digest({"key": question.experiment.key, "budget_s": budget_s})[:16]
    found = store.epochs.planned(asked)
    if found is not None:
        return cut(question, found), f"{found:,} iterations, as decided when this time was asked for first"
    with status() as say:
        say("measuring how long a step takes")
        from resbench.trial.before_training import pace_of

        pace = pace_of(
            question.experiment,
            question.data,
            engine,
            report=lambda what, done, of: say(f"{what}: {done:,} of {of:,}"),
        )
    tested = min(question.recipe.test_limit or len(question.data.test), len(question.data.test))
    found = iterations_within(budget_s, pace, question.recipe, question.samples, tested)
    if found < 1:
        unit = "epoch" if question.recipe.schedule.unit == "epoch" else "iteration"
        raise UsageError(
            f"not one {unit} fits into {duration(budget_s)}: a step takes {pace.step_s:.3g} s here and a test "
            f"{pace.test_s:.3g} s; give a longer --time-budget"
        )
    why = f"a step takes {pace.step_s:.3g} s here and a test {pace.test_s:.3g} s"
    return cut(question, store.epochs.plan(asked, found)), f"{found:,} iterations: {why}"


def _device(name: str) -> str:
    with status() as say:
        say("loading torch")
        from resbench.models.devices import resolve_device

        return str(resolve_device(name))


def _open(name: str, root: Path | None) -> "Data":
    from resbench.datasets.opening import open_data
    from resbench.datasets.progress import progress_bar

    with progress_bar() as report:
        return open_data(name, root, progress=report)
