from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.reporting.published_curves import published_curves
from resbench.reporting.suite_report import Report, suite_report
from resbench.results import Environment, Result
from resbench.specs import Scale
from resbench.suites.voc_compare import SUITE

Fabricate = Callable[..., list[Result]]
COMMAND = "resbench run --suite voc_compare --scale short --data DIR"
LABEL = (
    "Reduced run (scale short), on VOC2012 subset (train / val), which is not the published data set. "
    "Not comparable with the published figures."
)


def render(results: list[Result], scale: Scale = Scale.SHORT) -> Report:
    return suite_report(SUITE, SUITE.arms, results, scale=scale, command=COMMAND)


def section(report: Report, title: str) -> str:
    return report.markdown.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def cells(text: str, label: str) -> list[str]:
    """Return the cells of the first table row that starts with `label`."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_reduced_run_reads_as_it_should(fabricate: Fabricate, snapshot: SnapshotAssertion) -> None:
    """Two models trained, one with two seeds; ResNet-50 not run."""
    results = fabricate(models=("resnet18_biased", "resnet34_biased"))
    results += fabricate(models=("resnet18_biased",), seeds=(1,))[1:]
    assert render(results).markdown == snapshot


def test_a_full_run_on_the_published_data_reads_as_it_should(
    fabricate: Fabricate, snapshot: SnapshotAssertion
) -> None:
    curve = {
        "resnet18_biased": [0.5, 0.899, 0.898],
        "resnet34_biased": [0.5, 0.90, 0.92],
        "resnet50": [0.5, 0.7, 0.81],
    }
    results = fabricate(scale=Scale.FULL, official=True, length=None, curve=curve)
    assert render(results, Scale.FULL).markdown == snapshot


def test_the_label_stands_first_and_at_the_table_and_the_curves(fabricate: Fabricate) -> None:
    report = render(fabricate())
    assert report.markdown.splitlines()[2] == f"> **{LABEL}**"
    assert f"**{LABEL}**" in section(report, "Published and measured").splitlines()
    assert f"**{LABEL}**" in section(report, "Learning curves").splitlines()
    assert "not drawn, because this run cannot be compared" in section(report, "Learning curves")


@pytest.mark.parametrize("official", [True, False])
def test_a_reduced_run_is_never_judged(fabricate: Fabricate, official: bool) -> None:
    report = render(fabricate(official=official))
    for label in ("ResNet-18", "ResNet-34", "ResNet-50"):
        verdict = cells(section(report, "Published and measured"), label)[-1]
        assert verdict == "size, GFLOPs: reproduced; top-1, top-5: not comparable"


def test_a_full_recipe_on_other_data_is_labelled(fabricate: Fabricate) -> None:
    report = render(fabricate(scale=Scale.FULL, length=None), Scale.FULL)
    assert report.markdown.splitlines()[2].startswith(
        "> **Full recipe, on VOC2012 subset (train / val), which is not"
    )
    assert "top-1, top-5: not comparable" in report.markdown


def test_another_recipe_at_full_scale_is_labelled(fabricate: Fabricate) -> None:
    report = render(fabricate(scale=Scale.FULL, official=True, length=50), Scale.FULL)
    assert "> **Differs from the published run: schedule.length 50 (published: 100)" in report.markdown
    assert "top-1, top-5: not comparable" in report.markdown


def test_a_full_run_carries_no_label_and_verdicts(fabricate: Fabricate) -> None:
    curve = {"resnet18_biased": [0.9], "resnet34_biased": [0.93], "resnet50": [0.8]}
    report = render(fabricate(scale=Scale.FULL, official=True, length=None, curve=curve), Scale.FULL)
    assert "Not comparable" not in report.markdown
    table = section(report, "Published and measured")
    assert [cells(table, label)[-1] for label in ("ResNet-18", "ResNet-34", "ResNet-50")] == [
        "size, GFLOPs, top-1: reproduced; top-5: better",
        "size, GFLOPs: reproduced; top-1, top-5: better",
        "size, GFLOPs: reproduced; top-1: worse; top-5: better",
    ]


def test_the_table_has_the_published_and_the_computed_costs(fabricate: Fabricate) -> None:
    table = section(render(fabricate()), "Published and measured")
    assert cells(table, "ResNet-18")[2:7] == [
        "32",
        "44.607 / 44.607",
        "3.641 / 3.641",
        "17.34 [16.98, 17.91], n = 50",
        "57.3 [55.9, 58.4], n = 10",
    ]
    assert "measured on **Example CPU 3000, 2 threads**" in table


def test_nothing_run_still_shows_every_arm() -> None:
    report = render([])
    table = section(report, "Published and measured")
    assert cells(table, "ResNet-50")[3:] == [
        "97.492 / not run", "8.223 / not run", "not run", "not run", "89.37 / not run", "99.39 / not run",
        "size, GFLOPs, top-1, top-5: not run",
    ]  # fmt: skip
    assert "> **Reduced run (scale short); nothing was trained.**" in report.markdown
    assert "> **Not trained: ResNet-18, ResNet-34, ResNet-50.**" in report.markdown
    assert report.pictures == {}
    assert "](" not in section(report, "Learning curves")


def test_the_gpu_is_named(fabricate: Fabricate) -> None:
    results = [
        replace(
            result,
            experiment={**result.experiment, "device": "cuda"},
            environment=Environment(machine={"cpu": "C", "gpu": "Example GPU"}, software={}, settings={}),
        )
        for result in fabricate()
    ]
    assert "measured on **Example GPU** with 3x224x224" in render(results).markdown


def test_other_questions_are_left_out_and_counted(fabricate: Fabricate) -> None:
    ours = fabricate()
    other_scale = fabricate(scale=Scale.SMOKE)
    other_data = [
        replace(found, started="2025-01-01T00:00:00+00:00") for found in fabricate(official=True)[3:]
    ]
    report = render([*other_data, *other_scale, *ours])
    plain = render(ours)
    note = "3 earlier results at this scale asked something else"
    assert note in report.markdown
    assert section(report, "Published and measured") == section(plain, "Published and measured")
    assert report.pictures == plain.pictures


def test_a_note_is_told_once_with_its_models(fabricate: Fabricate) -> None:
    results = [replace(result, notes=("Nothing was warm.",)) for result in fabricate()]
    assert section(render(results), "Notes on the results").strip() == (
        "* ResNet-18, ResNet-34, ResNet-50: Nothing was warm."
    )


def test_a_note_on_training_stands_at_the_head_once(fabricate: Fabricate) -> None:
    results = [
        replace(result, notes=("The pictures are copies.",)) if result.epochs else result
        for result in fabricate()
    ]
    text = render(results).markdown
    assert text.count("The pictures are copies.") == 1
    assert "> The pictures are copies." in text.partition("**Question.**")[0]


def test_the_baselines_follow_from_the_data(fabricate: Fabricate) -> None:
    text = section(render(fabricate()), "Two readings of accuracy")
    assert (
        "the most frequent class scores 37.6 % top-1; guessing among 20 classes at random scores 5.0 %"
        in text
    )
    assert "25.0 % top-5" in text


def test_the_two_readings_and_their_difference(fabricate: Fabricate) -> None:
    row = cells(section(render(fabricate()), "Two readings of accuracy"), "ResNet-18")
    # Best of (0.31, 0.42, 0.405) is epoch 2; strict is the last epoch's 0.405 less 0.01 of batch weighting.
    assert row[3:] == ["42.0 [39.8, 44.2]", "2 of 3", "39.5 [37.3, 41.7]", "3", "+2.5", "1,912"]


def test_labels_from_outside_cannot_break_a_table(fabricate: Fabricate) -> None:
    results = [
        replace(result, environment=replace(result.environment, machine={"cpu": "A | B\n<b> `x`"}))
        for result in fabricate()
    ]
    text = render(results).markdown
    assert cells(text.replace(r"\|", "/"), "machine") == ["machine", "cpu", r"A / B \<b> \`x\`"]
    assert r"**A \| B \<b> \`x\`, 2 threads**" in text


def test_different_environments_are_told_apart(fabricate: Fabricate) -> None:
    results = fabricate(models=("resnet50",))
    other = replace(results[1].environment, software={"torch": "2.11.0"}, changed=True)
    text = section(render([results[0], replace(results[1], environment=other)]), "Environment")
    assert "Profile of ResNet-50:" in text
    assert "Training, seed 0 of ResNet-50:" in text
    assert "with uncommitted changes" in text


def test_one_seed_has_no_means(fabricate: Fabricate) -> None:
    report = render(fabricate())
    assert "## Mean over seeds" not in report.markdown
    assert "## Differences between arms" not in report.markdown


def three_seeds(fabricate: Fabricate, shares: Mapping[str, Sequence[float]]) -> list[Result]:
    """A run for each seed and network, of one epoch with that as-published top-1 share."""
    found = []
    for seed in range(3):
        curve = {model: [of_seeds[seed]] for model, of_seeds in shares.items()}
        found += fabricate(
            scale=Scale.FULL, official=True, length=None, seeds=(seed,), models=tuple(shares), curve=curve
        )
    return found


def test_several_seeds_have_means_with_students_interval(fabricate: Fabricate) -> None:
    """Of 89.8, 90.0 and 90.2 the mean is 90.0; its interval is 4.303 x 0.2 / sqrt(3) = 0.497 to each side."""
    shares = {"resnet18_biased": (0.898, 0.900, 0.902), "resnet50": (0.80, 0.81, 0.82)}
    report = render(three_seeds(fabricate, shares), Scale.FULL)
    means = section(report, "Mean over seeds")
    row = cells(means, "ResNet-18")
    assert row[1:6] == ["top-1", "89.98 (one run)", "90.00 [89.50, 90.50]", "89.00 [88.50, 89.50]", "3"]
    assert cells(means, "ResNet-50")[-1] == "worse"
    assert cells(means, "ResNet-34")[3:] == ["not run", "not run", "0", "not run"]
    assert "ResNet-50, top-1: **worse**" in means


def test_several_seeds_have_paired_differences(fabricate: Fabricate) -> None:
    """Seed by seed the strict errors differ by 8.8, 9.0 and 9.2 points, so that the interval is that of their mean."""
    shares = {"resnet18_biased": (0.898, 0.900, 0.902), "resnet50": (0.810, 0.810, 0.810)}
    pairs = section(render(three_seeds(fabricate, shares), Scale.FULL), "Differences between arms")
    assert cells(pairs, "ResNet-50")[1:3] == ["3", "+9.00 [+8.50, +9.50]"]


def test_several_seeds_of_a_reduced_run_are_labelled_and_not_judged(fabricate: Fabricate) -> None:
    means = section(render(fabricate(seeds=(0, 1))), "Mean over seeds")
    assert means.strip().startswith(f"**{LABEL}**")
    assert cells(means, "ResNet-18")[-1].startswith("not comparable")


def test_the_distance_from_the_published_curves_is_in_the_reading_of_their_log(fabricate: Fabricate) -> None:
    """Ours are made to lie 3 points below the first three epochs of their log, which has batch means."""
    (theirs,) = (
        curve
        for curve in published_curves(SUITE)
        if (curve.model, curve.phase) == ("resnet18_biased", "test")
    )
    curve = {"resnet18_biased": [share - 0.03 for share in theirs.top1[:3]]}
    results = fabricate(
        models=("resnet18_biased",), scale=Scale.FULL, official=True, length=None, curve=curve
    )
    curves = section(render(results, Scale.FULL), "Learning curves")
    assert "mean distance 3 points over epochs 1 to 3 (signed -3), largest -3 points at epoch" in curves
