"""Questions: what cannot be asked, and when two questions are the same."""

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench import specs
from resbench.errors import UsageError
from resbench.results import Statistic, Unit

SOURCE = specs.Source(title="A paper", where="Table 1", url="https://example.org")
FIGURE = specs.Published(
    metric="size",
    value=4.0,
    unit=Unit.BYTE,
    printed="4 B",
    decimals=0,
    statistic=Statistic.COMPUTED,
    protocol="counted",
    source=SOURCE,
)
RECIPE = specs.Recipe(
    name="r",
    source=SOURCE,
    train_batch=2,
    test_batch=2,
    pictures=specs.Pictures(
        resize=None, pad=0, crop=8, flip=False, color_jitter=0, erase=0, mean=(), std=(), test_views=1
    ),
    loss=specs.Loss(),
    optimizer=specs.Optimizer(name="sgd", lr=0.1, weight_decay=0),
    schedule=specs.Schedule(name="steps", unit="epoch", length=1),
    initialisation="kaiming_normal_fan_out",
)
DATA = specs.DataIdentity(
    kind="cifar10",
    label="CIFAR-10",
    official=True,
    fingerprint="f",
    classes=10,
    train_samples=4,
    test_samples=2,
    majority=0.1,
)
PROFILING = specs.Profiling(batch_size=1, num_classes=10, input_CHW=(3, 8, 8))
TRAINING = specs.Experiment(
    model="resnet18",
    device="cpu",
    precision=specs.Precision.FP32,
    seed=0,
    scale=specs.Scale.FULL,
    recipe=RECIPE,
    data=DATA,
)
SUITE = specs.Suite(
    name="s",
    title="S",
    question="Which?",
    data="cifar10",
    recipe=RECIPE,
    arms=tuple(specs.Arm(model=model, label=model, published=(FIGURE,)) for model in ("a", "b", "c")),
    profiling=PROFILING,
    flops_convention="core",
    source=SOURCE,
)


@pytest.mark.parametrize("field", ["title", "where", "url"])
def test_a_source_says_what_it_is(field: str) -> None:
    with pytest.raises(ValueError, match="a source needs"):
        replace(SOURCE, **{field: ""})


@pytest.mark.parametrize("field", ["metric", "printed", "protocol"])
def test_a_published_figure_says_how_it_came_about(field: str) -> None:
    with pytest.raises(ValueError, match="a published figure needs"):
        replace(FIGURE, **{field: ""})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change", [{"recipe": None}, {"data": None}, {"profiling": PROFILING}, {"recipe": None, "data": None}]
)
def test_an_experiment_either_trains_or_profiles(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an experiment trains"):
        replace(TRAINING, **change)


def test_the_same_question_has_the_same_key() -> None:
    assert replace(TRAINING, data=replace(DATA)).key == TRAINING.key


@pytest.mark.parametrize(
    "change",
    [
        {"model": "resnet34"},
        {"device": "cuda"},
        {"precision": specs.Precision.BF16},
        {"seed": 1},
        {"scale": specs.Scale.SHORT},
        {"recipe": replace(RECIPE, train_limit=2)},
        {"recipe": replace(RECIPE, schedule=replace(RECIPE.schedule, length=2))},
        {"data": replace(DATA, fingerprint="g")},
        {"machine": "0123456789ab"},
        {"recipe": None, "data": None, "profiling": PROFILING},
    ],
    ids=" ".join,
)
def test_another_question_has_another_key(change: dict[str, Any]) -> None:
    assert replace(TRAINING, **change).key != TRAINING.key


def test_an_experiment_of_another_version_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = TRAINING.key
    monkeypatch.setattr("resbench.specs.experiment.EXPERIMENT_VERSION", specs.EXPERIMENT_VERSION + 1)
    assert TRAINING.key != before


def test_keys_stay_what_they_were(snapshot: SnapshotAssertion) -> None:
    """A change here makes every stored result unfindable: raise EXPERIMENT_VERSION and say so in the changelog."""
    assert TRAINING.key == snapshot


def test_chosen_keeps_the_order_of_the_suite() -> None:
    assert [arm.model for arm in SUITE.chosen(("c", "a"))] == ["a", "c"]
    assert SUITE.chosen(()) == SUITE.arms


def test_a_model_that_is_no_arm_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^suite 's' has no model 'd': choose from a, b, c$"):
        SUITE.chosen(("a", "d"))


def test_figure_by_metric() -> None:
    assert SUITE.arms[0].figure("size") is FIGURE
    assert SUITE.arms[0].figure("latency") is None
