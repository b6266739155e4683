from dataclasses import replace

import pytest

from resbench.results import Measurement, Statistic, Unit, plain
from resbench.specs import DataIdentity, Experiment, Precision, Published, Scale, Source
from resbench.statistics.intervals import difference_interval
from resbench.statistics.verdicts import Outcome, judge, leaves, profiling_differences, training_differences
from resbench.suites.voc_compare import SUITE
from resbench.units import MIB

RECIPE = SUITE.recipe
assert RECIPE is not None
SOURCE = Source(title="Paper", where="Table 1", url="https://example.org")


def published(metric: str = "top1_published", value: float = 0.9, **changes: object) -> Published:
    figure = Published(
        metric=metric, value=value, unit=Unit.ONE, printed="90.00", decimals=2, statistic=Statistic.BEST,
        protocol="best of 100", source=SOURCE, n=1, test_samples=12_032,
    )  # fmt: skip
    return replace(figure, **changes)  # type: ignore[arg-type]


def measured(metric: str = "top1_published", value: float = 0.9, **changes: object) -> Measurement:
    found = Measurement(metric=metric, value=value, unit=Unit.ONE, statistic=Statistic.BEST, n=12_032)
    return replace(found, **changes)  # type: ignore[arg-type]


def computed(unit: Unit, metric: str, theirs: float, ours: float, decimals: int = 3) -> Outcome:
    figure = published(
        metric, theirs, unit=unit, decimals=decimals, statistic=Statistic.COMPUTED, test_samples=None
    )
    return judge(figure, measured(metric, ours, unit=unit, statistic=Statistic.COMPUTED, n=1)).outcome


@pytest.mark.parametrize(
    ("unit", "metric", "theirs", "ours", "outcome"),
    [
        # 11,693,352 parameters of 4 bytes are 44.60659 MiB; one decimal place further off is another network.
        (Unit.BYTE, "size", 44.607 * MIB, 4 * 11_693_352, Outcome.REPRODUCED),
        (Unit.BYTE, "size", 44.607 * MIB, 4 * 11_689_512, Outcome.DIFFERS),
        (Unit.BYTE, "size", 44.607 * MIB, 44.6074 * MIB, Outcome.REPRODUCED),
        (Unit.BYTE, "size", 44.607 * MIB, 44.6076 * MIB, Outcome.DIFFERS),
        (Unit.BYTE, "size", 44.607 * MIB, 44.6064 * MIB, Outcome.DIFFERS),
        (Unit.ONE, "flops", 8.223e9, 8_222_500_001, Outcome.REPRODUCED),
        (Unit.ONE, "flops", 8.223e9, 8_222_499_999, Outcome.DIFFERS),
        (Unit.ONE, "flops", 8.223e9, 8_178_368_512, Outcome.DIFFERS),
        (Unit.ONE, "parameters", 11_693_352, 11_693_352, Outcome.REPRODUCED),
        (Unit.ONE, "parameters", 11_693_352, 11_693_353, Outcome.DIFFERS),
    ],
)
def test_a_computed_figure_is_reproduced_to_the_published_digits(
    unit: Unit, metric: str, theirs: float, ours: float, outcome: Outcome
) -> None:
    assert computed(unit, metric, theirs, ours) is outcome


def test_the_verdict_says_both_figures_where_they_differ() -> None:
    figure = published("flops", 8.223e9, decimals=3, statistic=Statistic.COMPUTED, test_samples=None)
    verdict = judge(figure, measured("flops", 8.178e9, statistic=Statistic.COMPUTED))
    assert verdict.reason == "computed 8.178, published 8.223"


def boundary(sign: int) -> float:
    """Return the accuracy at which the interval of the difference to 0.9 of 12,032 just touches zero."""
    inside, outside = 0.9, 0.9 + 0.05 * sign
    for _ in range(60):
        middle = (inside + outside) / 2
        interval = difference_interval(middle, 12_032, 0.9, 12_032)
        inside, outside = (middle, outside) if 0 in interval else (inside, middle)
    return inside


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (0.9, Outcome.REPRODUCED),
        (boundary(+1), Outcome.REPRODUCED),
        (boundary(+1) + 1e-6, Outcome.BETTER),
        (boundary(-1), Outcome.REPRODUCED),
        (boundary(-1) - 1e-6, Outcome.WORSE),
        (0.05, Outcome.WORSE),
        (1.0, Outcome.BETTER),
    ],
)
def test_an_accuracy_is_judged_by_the_interval_of_the_difference(value: float, outcome: Outcome) -> None:
    verdict = judge(published(), measured(value=value))
    assert verdict.outcome is outcome
    assert "one seed says nothing of the spread from run to run" in verdict.reason


def test_the_reason_has_no_more_digits_than_its_interval() -> None:
    wide = judge(published(test_samples=96), measured(value=0.8, n=96)).reason
    assert wide.startswith("difference -10 points, 95 % interval [-20, +0], which holds zero;")
    narrow = judge(published(), measured(value=0.88)).reason
    assert narrow.startswith("difference -2.00 points, 95 % interval [-2.79, -1.21], which lies below zero;")


def test_each_share_counts_its_own_samples() -> None:
    few = judge(published(), measured(value=0.88), test_samples=100)
    assert few.outcome is Outcome.REPRODUCED
    assert judge(published(), measured(value=0.88)).outcome is Outcome.WORSE


@pytest.mark.parametrize(
    ("figure", "found", "outcome", "reason"),
    [
        (published(), None, Outcome.NOT_RUN, "there is no result"),
        (None, measured("latency"), Outcome.NO_FIGURE, "the source publishes no latency"),
        (None, None, Outcome.NOT_RUN, "there is no result"),
        (
            published(),
            measured("top1_strict", statistic=Statistic.LAST),
            Outcome.NOT_COMPARABLE,
            "top1_strict is not top1_published; last epoch against best",
        ),
        (
            published(test_samples=None),
            measured(),
            Outcome.NOT_COMPARABLE,
            "the source does not say on how many samples it was tested",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(
    figure: Published | None, found: Measurement | None, outcome: Outcome, reason: str
) -> None:
    verdict = judge(figure, found)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_what_was_asked_otherwise_is_never_compared() -> None:
    verdict = judge(published(), measured(), differences=("scale short (published: full)", "no flip"))
    assert verdict.outcome is Outcome.NOT_COMPARABLE
    assert verdict.reason == "scale short (published: full); no flip"


OFFICIAL = DataIdentity(
    kind="voc_crops", label="VOC 07+12", official=True, fingerprint="f", classes=20,
    train_samples=40_058, test_samples=12_032, majority=0.376,
)  # fmt: skip
FULL = Experiment(
    model="resnet50", device="cpu", precision=Precision.FP32, seed=0, scale=Scale.FULL, recipe=SUITE.recipe,
    data=OFFICIAL,
)  # fmt: skip


def differing(**changes: object) -> tuple[str, ...]:
    return training_differences(plain(replace(FULL, **changes)), SUITE)  # type: ignore[arg-type]


def test_the_published_question_has_no_differences() -> None:
    assert differing() == ()
    # The seed and the device are no part of what was published.
    assert differing(seed=3, device="cuda") == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scale": Scale.SMOKE}, "scale smoke (published: full)"),
        (
            {"data": replace(OFFICIAL, official=False, label="VOC2012 subset")},
            "data VOC2012 subset (not the published set)",
        ),
        ({"precision": Precision.BF16}, "precision bf16 (published: fp32)"),
        ({"recipe": replace(RECIPE, train_batch=48)}, "train_batch 48 (published: 96)"),
        ({"recipe": replace(RECIPE, test_limit=96)}, "test_limit 96 (published: none)"),
        # Both recipes leave out what they have by default, and the published one has it none the less.
        ({"recipe": replace(RECIPE, precise_bn=8)}, "precise_bn 8 (published: 0)"),
        (
            {"recipe": replace(RECIPE, pictures=replace(RECIPE.pictures, antialias=False))},
            "pictures.antialias no (published: yes)",
        ),
        (
            {"recipe": replace(RECIPE, schedule=replace(RECIPE.schedule, milestones=(30, 60)))},
            "schedule.milestones 30, 60 (published: none)",
        ),
        (
            {"recipe": replace(RECIPE, initialisation="kaiming_normal_fan_in")},
            "initialisation kaiming_normal_fan_in (published: kaiming_normal_fan_out)",
        ),
        (
            {"recipe": replace(RECIPE, pictures=replace(RECIPE.pictures, flip=False))},
            "pictures.flip no (published: yes)",
        ),
        (
            {"recipe": replace(RECIPE, pictures=replace(RECIPE.pictures, mean=(0.5, 0.4, 0.5)))},
            "pictures.mean 0.5, 0.4, 0.5 (published: 0.5, 0.5, 0.5)",
        ),
    ],
)
def test_each_difference_is_named(changes: dict[str, object], said: str) -> None:
    assert differing(**changes) == (said,)


def test_every_setting_of_the_recipe_counts() -> None:
    ours = plain(FULL)
    names = [name for name, _ in leaves(ours["recipe"]) if name != "name" and not name.startswith("source.")]
    for name in names:
        changed = plain(FULL)
        *folders, last = name.split(".")
        place = changed["recipe"]
        for folder in folders:
            place = place[folder]
        place[last] = "changed"
        found = training_differences(changed, SUITE)
        assert len(found) == 1, name
        assert found[0].startswith(f"{name} changed (published: "), name
    assert len(names) > 20


def test_a_profile_differs_by_classes_and_input_but_not_by_batch() -> None:
    asked = {"profiling": plain(SUITE.profiling)}
    assert profiling_differences(asked, SUITE) == ()
    assert profiling_differences({"profiling": asked["profiling"] | {"batch_size": 8}}, SUITE) == ()
    other = {"profiling": asked["profiling"] | {"num_classes": 20, "input_CHW": [3, 56, 56]}}
    assert profiling_differences(other, SUITE) == (
        "num_classes 20 (published: 1000)",
        "input_CHW 3x56x56 (published: 3x224x224)",
    )
