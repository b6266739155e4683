"""The report of a suite whose arms run over several seeds, on fabricated results: round figures that can be recognised."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.reporting.selection import select
from resbench.reporting.suite_report import Report, suite_report
from resbench.results import Ending, Environment, Epoch, Measurement, Pass, Result, Statistic, Unit, plain
from resbench.specs import DataIdentity, Experiment, Precision, Scale, Suite
from resbench.specs.overriding import override
from resbench.suites.cifar_activation import SUITE as ACTIVATION
from resbench.suites.cifar_depth import SUITE as DEPTH
from resbench.suites.cifar_inputs import SUITE as INPUTS
from resbench.suites.cifar_plain_vs_resnet import SUITE as PLAIN
from resbench.suites.cifar_shortcut_types import SUITE as SHORTCUTS
from resbench.suites.cifar_wide_stem import SUITE as WIDE_STEM

DATA = DataIdentity(
    kind="cifar10", label="CIFAR-10", official=True, fingerprint="f00d", classes=10, train_samples=50_000,
    test_samples=10_000, majority=0.1,
)  # fmt: skip
ENVIRONMENT = Environment(
    machine={"cpu": "Example CPU 3000"}, software={"torch": "2.15.0"}, settings={"threads": "2"}
)


def passed(error: float) -> Pass:
    return Pass(
        loss=error, loss_of_batches=error, top1=1 - error, top5=1.0, top1_of_batches=1 - error,
        top5_of_batches=1.0, samples=10_000, seconds=9.0,
    )  # fmt: skip


def run(
    suite: Suite, arm_id: str, seed: int, error: float, *, scale: Scale = Scale.FULL, epochs: int = 3
) -> Result:
    (arm,) = (arm for arm in (*suite.arms, *suite.extra) if arm.id == arm_id)
    recipe = suite.recipe_of(arm)
    assert recipe is not None
    if scale is not Scale.FULL:
        recipe = replace(recipe, name=f"{recipe.name}-{scale}", train_limit=100)
    experiment = Experiment(
        model=arm.model,
        device="cpu",
        precision=Precision.FP32,
        seed=seed,
        scale=scale,
        recipe=recipe,
        data=DATA,
    )
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(
            Measurement(metric="top1_strict", value=1 - error, unit=Unit.ONE, statistic=Statistic.LAST, n=10_000),
            Measurement(
                metric="parameters", value=269_722, unit=Unit.ONE, statistic=Statistic.COMPUTED, method="trainable numbers"
            ),
            Measurement(metric="macs", value=40_551_040, unit=Unit.ONE, statistic=Statistic.COMPUTED, method="core"),
        ),
        environment=ENVIRONMENT,
        epochs=tuple(
            Epoch(
                number=number,
                learning_rate=0.1,
                train=passed(error * (1 + epochs - number)),
                test=passed(error) if number == epochs else None,
            )
            for number in range(1, epochs + 1)
        ),
        started=f"2026-01-02T03:00:0{seed}+00:00",
        seconds=600.0,
    )  # fmt: skip


def diverged(suite: Suite, arm_id: str, seed: int) -> Result:
    whole = run(suite, arm_id, seed, 0.5)
    return replace(
        whole, measurements=whole.measurements[1:], epochs=(), outcome=Ending.DIVERGED, diverged_at=17
    )


def runs(suite: Suite, errors: Mapping[str, Sequence[float]], scale: Scale = Scale.FULL) -> list[Result]:
    return [
        run(suite, arm, seed, error, scale=scale)
        for arm, found in errors.items()
        for seed, error in enumerate(found)
    ]


def render(suite: Suite, results: Sequence[Result], scale: Scale = Scale.FULL, *arms: str) -> Report:
    return suite_report(suite, suite.chosen(arms), results, scale=scale, command="resbench run ...")


def cells(report: Report, title: str, label: str) -> list[str]:
    section = report.markdown.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    line = next(line for line in section.splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


FIVE = {
    "cifar_resnet20": (0.0860, 0.0870, 0.0880, 0.0890, 0.0870),
    "cifar_resnet110": (0.0650, 0.0660, 0.0670, 0.0640, 0.0680),
}


def test_five_seeds_read_as_they_should(snapshot: SnapshotAssertion) -> None:
    report = render(DEPTH, runs(DEPTH, FIVE), Scale.FULL, *FIVE)
    assert report.markdown == snapshot
    assert sorted(report.pictures) == ["error.svg", "loss.svg"]


def test_the_mean_and_its_interval_are_students() -> None:
    report = render(DEPTH, runs(DEPTH, FIVE), Scale.FULL, "cifar_resnet20")
    # By hand: mean 8.74, standard deviation 0.11402, t 2.7764 with 4 degrees of freedom: +-0.1416.
    assert cells(report, "Published and measured", "ResNet-20")[3] == "8.74 [8.60, 8.88]"


def test_110_layers_have_a_line_for_the_mean_and_one_for_the_best() -> None:
    report = render(DEPTH, runs(DEPTH, FIVE), Scale.FULL, *FIVE)
    lines = [
        line for line in report.markdown.splitlines() if line.startswith("| ResNet-110 ") and "top-1" in line
    ]
    assert [line.split("|")[3].strip() for line in lines] == ["6.61 ± 0.16 (mean of 5)", "6.43 (best of 5)"]
    assert [line.split("|")[5].strip() for line in lines] == ["6.60", "6.40"]
    assert "reproduced" in lines[0]


def test_differences_are_paired_by_seed() -> None:
    """Both arms move with the seed; what is left of each pair is 2.2 points throughout."""
    moved = (0.0800, 0.0900, 0.1000)
    both = {"cifar_resnet20": moved, "cifar_resnet32": tuple(error - 0.022 for error in moved)}
    report = render(DEPTH, [*runs(DEPTH, both), run(DEPTH, "cifar_resnet32", 7, 0.5)], Scale.FULL, *both)
    assert cells(report, "Differences between arms", "ResNet-32")[1:3] == ["3", "-2.20"]


def test_of_few_arms_any_two_are_compared() -> None:
    three = {
        "cifar_resnet20": (0.10, 0.11),
        "cifar_resnet32": (0.09, 0.12),
        "cifar_resnet44": (0.08, 0.10),
    }
    report = render(DEPTH, runs(DEPTH, three), Scale.FULL, *three)
    # By hand: -2 and -1 points, mean -1.5; t 12.706 with one degree of freedom, deviation 0.7071: +-6.35.
    assert cells(report, "Differences between arms", "ResNet-44 less ResNet-20")[2] == "-1.5 [-7.9, +4.9]"
    # -1 and -2 points.
    assert cells(report, "Differences between arms", "ResNet-44 less ResNet-32")[2] == "-1.5 [-7.9, +4.9]"
    many = {arm.id: (0.1, 0.2) for arm in DEPTH.arms}
    lines = render(DEPTH, runs(DEPTH, many)).markdown.partition("## Differences between arms")[2]
    assert lines.partition("\n## ")[0].count(" less ResNet-20 ") == len(DEPTH.arms) - 1
    assert " less ResNet-32 " not in lines


def test_a_figure_whose_protocol_is_not_stated_is_shown_and_not_judged() -> None:
    report = render(PLAIN, runs(PLAIN, {"cifar_plain20": (0.10, 0.11)}), Scale.FULL, "cifar_plain20")
    section = report.markdown.partition("\n## Published and measured\n")[2].partition("\n## ")[0]
    ours, theirs = (
        [cell.strip() for cell in line.split("|")] for line in section.splitlines() if "| plain-20 " in line
    )
    assert (ours[3], ours[-2]) == ("-", "no published figure")
    assert theirs[2:5] == ["top-1 accuracy", "86.79 (n not stated, taken as one run)", theirs[4]]
    assert theirs[-2] == "not comparable (normalisation, length, epoch)"


def test_arms_on_other_data_have_their_own_baseline_and_are_compared_with_their_own_kind() -> None:
    hundred = replace(
        DATA, kind="cifar100", label="CIFAR-100", fingerprint="cafe", classes=100, majority=0.01
    )
    arms = {
        "cifar_resnet110": 0.06,
        "cifar_resnet164_cifar100": 0.25,
        "cifar_resnet164_preact": 0.05,
        "cifar_resnet164_preact_cifar100": 0.24,
    }
    results = []
    for name, error in arms.items():
        for seed in (0, 1):
            found = run(ACTIVATION, name, seed, error)
            data = plain(hundred if name.endswith("cifar100") else DATA)
            results.append(replace(found, key=f"{name}{seed}", experiment={**found.experiment, "data": data}))
    report = render(ACTIVATION, results, Scale.FULL, *arms)
    pairs = report.markdown.partition("\n## Differences between arms\n")[2].partition("\n## ")[0]
    compared = [line.split("|")[1].strip() for line in pairs.splitlines() if " less " in line]
    assert compared == [
        "ResNet-164, full pre-activation less ResNet-110, original",
        "ResNet-164, full pre-activation, CIFAR-100 less ResNet-164, original, CIFAR-100",
    ]
    assert (
        "To beat on CIFAR-10 of 10 classes: always naming the most frequent class scores 10.0 %"
        in report.markdown
    )
    assert (
        "To beat on CIFAR-100 of 100 classes: always naming the most frequent class scores 1.0 %"
        in report.markdown
    )
    assert "Data: **CIFAR-100** (the whole published data set), 100 classes" in report.markdown


def set_otherwise(scale: Scale, *settings: str, started: str = "2026-01-02T09:00:00+00:00") -> Result:
    found = run(DEPTH, "cifar_resnet20", 0, 0.3)
    assert DEPTH.recipe is not None
    recipe = (
        DEPTH.recipe if scale is Scale.FULL else replace(DEPTH.recipe, name=f"{DEPTH.recipe.name}-{scale}")
    )
    asked = {**found.experiment, "recipe": plain(override(recipe, settings)), "scale": str(scale)}
    return replace(found, experiment=asked, started=started)


def test_a_run_with_settings_says_so_and_is_compared_with_nothing() -> None:
    result = set_otherwise(Scale.FULL, "schedule.length=300", "schedule.milestones=150,225")
    report = render(DEPTH, [result], Scale.FULL, "cifar_resnet20")
    assert report.markdown.splitlines()[2] == (
        "> **Reduced run (set otherwise: schedule.length 300; schedule.milestones 150,225), on CIFAR-10. Not comparable "
        "with the published figures.**"
    )
    found = cells(report, "Published and measured", "ResNet-20")
    assert found[-1] == "not comparable (schedule.length, schedule.milestones)"
    changed = render(DEPTH, [set_otherwise(Scale.FULL, "optimizer.lr=0.05")], Scale.FULL, "cifar_resnet20")
    assert changed.markdown.splitlines()[2].startswith(
        "> **Changed run (set otherwise: optimizer.lr 0.05), on"
    )
    short = render(DEPTH, [set_otherwise(Scale.SHORT, "optimizer.lr=0.05")], Scale.SHORT, "cifar_resnet20")
    assert "Reduced run (scale short; set otherwise: optimizer.lr 0.05), on" in short.markdown


def test_runs_with_other_settings_are_not_mixed() -> None:
    """What the latest asks is shown; the 110 layers of this suite have that warm-up by their own recipe."""
    assert DEPTH.recipe is not None
    warm = set_otherwise(Scale.FULL, "schedule.warmup=400", "schedule.warmup_lr=0.01")
    plainly = [run(DEPTH, name, 0, 0.09) for name in ("cifar_resnet20", "cifar_resnet32", "cifar_resnet110")]
    found = select(DEPTH, DEPTH.arms, [*plainly, warm], Scale.FULL)
    assert {name: [one.key for one in results] for name, results in found.trained.items()} == {
        "cifar_resnet20": [warm.key],
        "cifar_resnet110": [plainly[2].key],
    }
    assert found.settings == ("schedule.warmup=400", "schedule.warmup_lr=0.01")
    older = replace(warm, started="2025-01-02T09:00:00+00:00")
    assert select(DEPTH, DEPTH.arms, [*plainly, older], Scale.FULL).settings == ()


def test_a_reduced_run_is_compared_with_nothing() -> None:
    report = render(DEPTH, runs(DEPTH, FIVE, Scale.SHORT), Scale.SHORT, *FIVE)
    assert report.markdown.splitlines()[2].startswith("> **Reduced run (scale short)")
    assert cells(report, "Published and measured", "ResNet-20")[-1] == "not comparable (scale, train_limit)"


def test_a_published_fail_is_reproduced_by_failing() -> None:
    name = "cifar_resnet110_dropout_shortcut"
    failing = {name: (0.9, 0.9, 0.9, 0.9, 0.3), "cifar_resnet110": (0.066,) * 5}
    report = render(SHORTCUTS, runs(SHORTCUTS, failing), Scale.FULL, *failing)
    found = cells(report, "Published and measured", "dropout 0.5")
    assert (found[2], found[-1]) == ("fail (median of 5)", "reproduced")


def test_a_run_that_diverged_is_counted_and_has_no_figure() -> None:
    name = "cifar_resnet20"
    results = [run(DEPTH, name, 0, 0.09), diverged(DEPTH, name, 1)]
    report = render(DEPTH, results, Scale.FULL, name)
    assert cells(report, "Published and measured", "ResNet-20")[5] == "1 + 1 diverged"
    assert "| diverged" in report.markdown.partition("## Every run")[2]


def test_arms_of_one_model_are_told_apart_by_their_recipes() -> None:
    errors = {"per_pixel": (0.09,), "raw_255": (0.10,), "imagenet_bare": (0.12,)}
    report = render(INPUTS, runs(INPUTS, errors), Scale.FULL, *errors)
    shown = {
        label: cells(report, "Published and measured", label)[3]
        for label in (
            "per-pixel mean, augmented",
            "raw, 0 to 255, augmented",
            "ImageNet's statistics, not augmented",
        )
    }
    assert list(shown.values()) == ["9.00", "10.00", "12.00"]
    assert "pictures: flip no" in report.markdown


def test_a_published_log_is_drawn_behind_and_its_distance_told() -> None:
    result = run(WIDE_STEM, "cifar_wide_stem_resnet34", 0, 0.15, epochs=20)
    report = render(WIDE_STEM, [result])
    assert b"published-cifar_wide_stem_resnet34-test" in report.pictures["error.svg"]
    assert "ours and the published curve: mean distance" in report.markdown
    assert cells(report, "Published and measured", "ResNet-34, 3x3 stem")[2] == "85.00 (one run)"


def test_nothing_run_still_shows_every_arm() -> None:
    report = render(DEPTH, [])
    assert cells(report, "Published and measured", "ResNet-56")[3:] == ["not run", "-", "0", "not run"]
    assert report.pictures == {}


@pytest.mark.parametrize("suite", [DEPTH, SHORTCUTS])
def test_the_same_results_give_the_same_bytes(suite: Suite) -> None:
    results = runs(suite, {suite.arms[0].id: (0.1, 0.2)})
    assert render(suite, results).pictures == render(suite, results[::-1]).pictures
