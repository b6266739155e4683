"""What a suite's TOML file may say: pydantic models that check every field, and the suite they make. No torch."""

import difflib
import math
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resbench.architectures.naming import find_architecture
from resbench.datasets.opening import NAMES
from resbench.errors import UsageError, unknown
from resbench.results import Statistic, Unit
from resbench.specs import Arm, Kind, Precision, Profiling, Published, Recipe, Source, Suite
from resbench.specs.overriding import override
from resbench.training.recipes import RECIPES

_Text = Annotated[str, Field(min_length=1)]
_Input = tuple[int, int, int]
_Backend = Literal["eager", "compile", "compile-frozen", "onnxruntime", "openvino"]
_PRECISIONS = Literal["fp32", "tf32", "bf16", "fp16"]
_SUITES = "Left out: the suite's."


def _checked_recipe(name: str) -> str:
    known = {recipe.name: recipe for recipe in RECIPES}
    if name and name not in known:
        raise ValueError(str(unknown("recipe", name, known)))
    return name


def _checked_data(data: str) -> str:
    if data and data not in NAMES:
        raise ValueError(str(unknown("data set", data, NAMES)))
    return data


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceForm(_Form):
    """Where figures were published."""

    title: _Text = Field(description="Authors and title, or the name of a repository.")
    where: _Text = Field(description="Table, figure or section.")
    url: _Text = Field(description="Its address.")

    def source(self) -> Source:
        """Return it as a specification."""
        return Source(title=self.title, where=self.where, url=self.url)


class FigureForm(_Form):
    """One published accuracy or error of an arm."""

    metric: Literal["top1_error", "top5_error", "top1_accuracy", "top5_accuracy"] = "top1_error"
    percent: float | Literal["fail"] = Field(description="As printed, in per cent; or 'fail'.")
    decimals: int = Field(2, ge=0, le=6, description="How many decimals are printed.")
    statistic: Literal["single run", "mean", "median", "best"] = "single run"
    n: int | None = Field(None, ge=1, description="How many runs it summarises; left out: not stated.")
    std: float | None = Field(None, gt=0, description="Deviation from run to run as printed, in points.")
    test_samples: int = Field(10_000, ge=1)
    fails_beyond: float | None = Field(None, gt=0, lt=100, description="Error in per cent that is a 'fail'.")
    protocol: _Text = Field(description="How the figure came about, in one line.")
    source: SourceForm | None = Field(None, description="Left out: the suite's.")

    @field_validator("percent", mode="before")
    @classmethod
    def _within(cls, percent: object) -> object:
        if percent == "fail":
            return percent
        if isinstance(percent, bool) or not isinstance(percent, int | float):
            raise ValueError(f"{percent!r} is neither a number nor 'fail'")  # noqa: TRY004 - pydantic takes no TypeError
        if not 0 <= percent <= 100:
            raise ValueError(f"{percent} lies outside 0 to 100: it is a percentage")
        return float(percent)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.percent == "fail" and self.fails_beyond is None:
            raise ValueError("'fail' needs fails_beyond: the error in per cent that counts as failed")
        return self

    def published(self, source: Source) -> Published:
        """Return it as a specification; `source` is the suite's."""
        failed = self.percent == "fail"
        return Published(
            metric=self.metric,
            value=math.nan if isinstance(self.percent, str) else self.percent / 100,
            unit=Unit.ONE,
            printed="fail" if isinstance(self.percent, str) else f"{self.percent:.{self.decimals}f}%",
            decimals=self.decimals,
            statistic=Statistic(self.statistic),
            protocol=self.protocol,
            source=self.source.source() if self.source else source,
            n=self.n,
            test_samples=self.test_samples,
            std=self.std / 100 if self.std else None,
            fails_beyond=self.fails_beyond / 100 if self.fails_beyond else None,
            failed=failed,
        )


class ArmForm(_Form):
    """One line of the suite's table."""

    model: _Text = Field(description="A network of 'resbench list models', with choices where wanted.")
    label: str = Field("", description="What the table calls it; left out: its name.")
    name: str = Field("", description="Tells two arms of one model apart.")
    data: str = Field("", description=_SUITES)
    recipe: str = Field("", description=_SUITES)
    changes: list[str] = Field([], description="Fields of the recipe set otherwise: 'optimizer.lr=0.05'.")
    precision: _PRECISIONS = Field("fp32", description="The arithmetic of its model.")
    processes: int = Field(1, ge=1, description="Over how many each training batch is split.")
    batch_size: int | None = Field(None, ge=1, description=_SUITES)
    num_classes: int | None = Field(None, ge=1, description=_SUITES)
    input: _Input | None = Field(None, description=_SUITES, strict=False)
    backend: _Backend | None = Field(None, description=_SUITES)
    published: list[FigureForm] = []

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str) -> str:
        try:
            find_architecture(model)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return model

    _known_recipe = field_validator("recipe")(_checked_recipe)
    _known_data = field_validator("data")(_checked_data)


class SuiteForm(_Form):
    """A question, the arms that answer it, and what was published of each."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="Letters, digits and underscores.")
    title: _Text = Field(description="Head of the report.")
    question: _Text = Field(description="What the suite asks.")
    kind: Literal["trained", "counted", "timed"] = "trained"
    data: str = Field("", description=f"What is trained on: {', '.join(NAMES)}.")
    recipe: str = Field("", description="How arms are trained: a recipe's name.")
    changes: list[str] = Field([], description="Fields of the recipe set otherwise, for every arm.")
    metric: Literal["top1_error", "top5_error", "top1_accuracy", "top5_accuracy"] = "top1_error"
    batch_size: int = Field(1, ge=1, description="Of what is timed.")
    num_classes: int = Field(1000, ge=1, description="Of what is counted or timed.")
    input: _Input = Field((3, 224, 224), description="Of what is counted or timed.", strict=False)
    backend: _Backend = Field("eager", description="What runs that which is timed.")
    source: SourceForm
    arms: list[ArmForm] = Field(min_length=1)
    extra: list[ArmForm] = Field([], description="Arms that run only where they are named.")

    _known_recipe = field_validator("recipe")(_checked_recipe)
    _known_data = field_validator("data")(_checked_data)

    def suite(self) -> Suite:
        """Return it as a specification; `resbench.execution.suite_checks` has found nothing against it.

        Raises:
            UsageError: a change of a recipe can't be made.
            ValueError: two arms are alike.
        """
        trained = self.kind == "trained"
        return Suite(
            name=self.name,
            title=self.title,
            question=self.question,
            source=self.source.source(),
            kind=Kind(self.kind),
            data=self.data if trained else "",
            recipe=recipe_with(self.recipe, self.changes) if trained and self.recipe else None,
            profiling=None if trained else self._profiling(),
            metric={"counted": "macs", "timed": "latency"}.get(self.kind, self.metric),
            arms=tuple(self._arm(arm) for arm in self.arms),
            extra=tuple(self._arm(arm) for arm in self.extra),
        )

    def _profiling(self) -> Profiling:
        return Profiling(
            batch_size=self.batch_size,
            num_classes=self.num_classes,
            input_CHW=self.input,
            backend=self.backend if self.kind == "timed" else "",
        )

    def _arm(self, form: ArmForm) -> Arm:
        own = form.recipe or form.changes
        source = self.source.source()
        return Arm(
            model=form.model,
            name=form.name,
            label=form.label or form.name or form.model,
            published=tuple(figure.published(source) for figure in form.published),
            recipe=recipe_with(form.recipe or self.recipe, [*self.changes, *form.changes]) if own else None,
            data=form.data,
            profiling=None if self.kind == "trained" else self._profiling_of(form),
            precision=Precision(form.precision),
            processes=form.processes,
        )

    def _profiling_of(self, form: ArmForm) -> Profiling | None:
        own: dict[str, Any] = {
            name: value
            for name, value in (
                ("batch_size", form.batch_size),
                ("num_classes", form.num_classes),
                ("input_CHW", form.input),
                ("backend", form.backend),
            )
            if value is not None
        }
        return replace(self._profiling(), **own) if own else None


def recipe_with(name: str, changes: list[str]) -> Recipe:
    """Return the recipe of that name with fields set otherwise.

    Raises:
        UsageError: a change can't be made; the message names every one.
    """
    found = next(recipe for recipe in RECIPES if recipe.name == name)
    return override(found, changes) if changes else found


def nearest(found: str, known: list[str]) -> str:
    """Return ": did you mean ...?" for a field that does not exist, or the fields there are."""
    near = difflib.get_close_matches(found, known, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(known)}"
