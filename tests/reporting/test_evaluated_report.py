"""The report of tests of published weights, on fabricated results."""

from dataclasses import replace

from resbench.reporting.suite_report import suite_report
from resbench.results import Environment, Measurement, Result, Statistic, Unit, plain
from resbench.specs import (
    Arm,
    DataIdentity,
    Evaluating,
    Experiment,
    Kind,
    Precision,
    Published,
    Scale,
    Source,
    Suite,
)
from resbench.specs import (
    Tested as Seen,
)

SOURCE = Source(title="A paper", where="Table 1", url="https://example.org")
ONE = Seen(views="center", sides=(256,), crop=224)
TEN = Seen(views="ten_crop", sides=(256,), crop=224)
IMAGENET = DataIdentity(
    kind="imagenet", label="ImageNet, validation", official=True, fingerprint="f00d", classes=1000, train_samples=0,
    test_samples=50_000, majority=0.001,
)  # fmt: skip


def published(percent: str, tested: Seen | None, *, unlike: tuple[str, ...] = ()) -> Published:
    return Published(
        metric="top1_error", value=float(percent) / 100, unit=Unit.ONE, printed=f"{percent}%", decimals=2,
        statistic=Statistic.SINGLE, protocol="a test", source=SOURCE, test_samples=50_000, n=1, tested=tested,
        unlike=unlike,
    )  # fmt: skip


SUITE = Suite(
    name="weights",
    title="Weights",
    question="Are they right?",
    source=SOURCE,
    kind=Kind.EVALUATED,
    data="imagenet",
    arms=(
        Arm(
            model="resnet18",
            label="ResNet-18",
            weights="IMAGENET1K_V1",
            published=(
                published("30.24", ONE),
                published("27.88", TEN),
                published("29.00", None),
                published("30.41", ONE, unlike=("weights are others'",)),
            ),
        ),
    ),
)


def result_of(error: float, how: Seen, *, data: DataIdentity = IMAGENET, scale: Scale = Scale.FULL) -> Result:
    evaluating = Evaluating(
        weights="IMAGENET1K_V1", digest="", tested=how, mirrored=False, interpolation="bilinear", antialias=True,
        mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), average="logits",
        limit=None if scale is Scale.FULL else 500,
    )  # fmt: skip
    experiment = Experiment(
        model="resnet18",
        device="cpu",
        precision=Precision.FP32,
        seed=0,
        scale=scale,
        data=data,
        evaluation=evaluating,
    )
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(
            Measurement(
                metric="top1_accuracy", value=1 - error, unit=Unit.ONE, statistic=Statistic.SINGLE, n=50_000,
                low=0.99 - error, high=1.01 - error,
            ),
        ),
        environment=Environment(machine={"cpu": "Example"}, software={}, settings={"threads": "2"}),
        started=f"2026-01-02T03:00:0{len(how.views) % 10}+00:00",
        seconds=60.0,
    )  # fmt: skip


def render(*results: Result, scale: Scale = Scale.FULL) -> str:
    return suite_report(SUITE, SUITE.arms, results, scale=scale, command="resbench run ...").markdown


def rows(text: str) -> list[list[str]]:
    section = text.partition("## Published and measured\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| ResNet")
    ]


def test_a_figure_is_compared_with_the_same_test_alone() -> None:
    found = rows(render(result_of(0.3024, ONE), result_of(0.35, TEN)))
    assert [row[1] for row in found] == [
        "one crop of 224 of 256",
        "ten crops of 224 of 256",
        "not stated",
        "one crop of 224 of 256",
    ]
    assert [row[3] for row in found] == ["30.24", "27.88", "29.00", "30.41"]
    assert found[0][4].startswith("30.2 [29.2, 31.2]")
    assert found[0][6] == "reproduced"
    assert found[1][6] == "worse"
    assert found[2][6].startswith("not comparable")
    assert found[3][6].startswith("not comparable (weights")


def test_of_two_tests_by_the_same_views_the_later_one_counts() -> None:
    """The file of weights was another, so that both are stored."""
    first, then = result_of(0.35, ONE), result_of(0.3024, ONE)
    evaluation = {**then.experiment["evaluation"], "digest": "0" * 64}
    then = replace(
        then,
        key="f" * 16,
        experiment={**then.experiment, "evaluation": evaluation},
        started="2026-01-03T03:00:00+00:00",
    )
    text = render(first, then)
    section = text.partition("## Every test\n")[2].partition("\n## ")[0]
    assert section.count("| ResNet-18 ") == 1
    assert rows(text)[0][4].startswith("30.2 ")


def test_arms_of_two_precisions_each_have_their_own_tests() -> None:
    (arm,) = SUITE.arms
    both = replace(SUITE, arms=(arm, replace(arm, name="half", label="Half", precision=Precision.BF16)))
    full = result_of(0.3024, ONE)
    half = replace(
        full,
        key="f" * 16,
        experiment={**full.experiment, "precision": "bf16"},
        started="2026-01-03T03:00:00+00:00",
    )
    text = suite_report(both, both.arms, [full, half], scale=Scale.FULL, command="resbench run ...").markdown
    section = text.partition("## Every test\n")[2].partition("\n## ")[0]
    assert (section.count("| ResNet-18 "), section.count("| Half ")) == (1, 1)
    assert rows(text)[0][6] == "reproduced"


def test_a_report_of_other_arithmetic_says_so_at_its_head() -> None:
    full = result_of(0.3024, ONE)
    text = render(replace(full, experiment={**full.experiment, "precision": "bf16"}))
    assert "> **Tested in bf16. Not comparable with the published figures.**" in text
    assert rows(text)[0][6] == "not comparable (precision)"


def test_what_differs_between_tests_stands_before_what_is_compared() -> None:
    one, ten = result_of(0.3024, ONE), result_of(0.28, TEN)
    assert "## What differs between the results\n" not in render(one, ten)
    elsewhere = replace(ten, environment=replace(ten.environment, machine={"cpu": "Another"}))
    text = render(one, elsewhere)
    section = text.partition("## What differs between the results\n")[2].partition("\n## ")[0]
    assert "| tests " in section
    assert "Another (ResNet-18)" in section
    assert text.index("## What differs") < text.index("## Published and measured")


def test_the_source_of_a_figure_of_a_further_arm_is_named() -> None:
    (arm,) = SUITE.arms
    source = Source(title="A repository", where="its README", url="https://example.org/more")
    figure = replace(published("30.00", ONE), source=source)
    more = replace(arm, name="more", label="More", weights="more.safetensors", published=(figure,))
    suite = replace(SUITE, extra=(more,))
    for arms, named in ((suite.arms, False), ((more,), True)):
        text = suite_report(suite, arms, [], scale=Scale.FULL, command="resbench run ...").markdown
        assert ("A repository, its README" in text.partition("## Sources")[2]) is named


def test_a_test_that_was_not_made_is_not_run() -> None:
    found = rows(render(result_of(0.3024, ONE)))
    assert (found[1][4], found[1][6]) == ("not run", "not run")


def test_reduced_tests_and_other_pictures_are_compared_with_nothing() -> None:
    text = render(result_of(0.3024, ONE, scale=Scale.SMOKE), scale=Scale.SMOKE)
    assert "> **Reduced test (scale smoke), on ImageNet, validation. Not comparable" in text
    assert rows(text)[0][6] == "not comparable (scale)"
    other = replace(IMAGENET, official=False, label="pictures of 1,000 classes")
    text = render(result_of(0.3024, ONE, data=other))
    assert "which is not the published data set" in text
    assert rows(text)[0][6] == "not comparable (data)"


def test_every_test_has_a_line_of_its_own() -> None:
    text = render(result_of(0.3024, ONE), result_of(0.28, TEN))
    section = text.partition("## Every test\n")[2].partition("\n## ")[0]
    assert section.count("| ResNet-18 ") == 2
    assert "Test of ResNet-18" in text


def test_tests_of_other_numbers_of_pictures_are_not_mixed() -> None:
    ten = result_of(0.28, TEN, scale=Scale.PART)
    experiment = {**ten.experiment, "evaluation": {**ten.experiment["evaluation"], "limit": 5000}}
    text = render(
        result_of(0.3024, ONE, scale=Scale.PART),
        replace(ten, experiment=experiment, started="2026-01-03T03:00:00+00:00"),
        scale=Scale.PART,
    )
    section = text.partition("## Every test\n")[2].partition("\n## ")[0]
    assert section.count("| ResNet-18 ") == 1
    assert "Reduced test (scale 0.1)" in text
