"""The report of one run says what differs from the recipe before it says what was found."""

from dataclasses import replace

import pytest

from resbench.reporting.line_pictures import Line, Panel, draw, run_panels
from resbench.reporting.single_run import single_run
from resbench.results import Ending, Environment, Epoch, Measurement, Pass, Result, Statistic, Unit, plain
from resbench.specs import DataIdentity, Experiment, Precision, Recipe, Scale
from resbench.specs.overriding import changes, override
from resbench.training.recipes import HE2015_CIFAR

PASS = Pass(
    loss=1.25,
    loss_of_batches=1.25,
    top1=0.5,
    top5=0.75,
    top1_of_batches=0.5,
    top5_of_batches=0.75,
    samples=100,
    seconds=2.0,
)
EPOCHS = (
    Epoch(number=1, learning_rate=0.1, train=PASS, test=None, validation=PASS),
    Epoch(number=2, learning_rate=0.01, train=PASS, test=replace(PASS, top1=0.625), validation=PASS),
)


def result_of(recipe: Recipe, *, official: bool = True) -> Result:
    data = DataIdentity(
        kind="cifar10",
        label="CIFAR-10",
        official=official,
        fingerprint="0",
        classes=10,
        train_samples=50_000,
        test_samples=10_000,
        majority=0.1,
    )
    experiment = Experiment(
        model="cifar_resnet20",
        device="cpu",
        precision=Precision.FP32,
        seed=7,
        scale=Scale.FULL,
        recipe=recipe,
        data=data,
    )
    top1 = Measurement(metric="top1_strict", value=0.625, unit=Unit.ONE, statistic=Statistic.LAST, n=100)
    return Result(
        key=experiment.key,
        experiment=plain(experiment),
        measurements=(top1,),
        environment=Environment(machine={"cpu": "x"}, software={"python": "3"}, settings={"threads": "1"}),
        epochs=EPOCHS,
        started="2026-01-02T03:04:05+00:00",
        seconds=61.0,
    )


def test_a_changed_recipe_is_not_comparable_and_each_change_is_listed() -> None:
    recipe = override(HE2015_CIFAR, ["optimizer.lr=0.05", "train_limit=1000"])
    text = single_run(result_of(recipe), HE2015_CIFAR, changes(HE2015_CIFAR, recipe))
    assert "**Not comparable with published figures**: 2 of the recipe's fields are not as published" in text
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")
    ]
    assert ["optimizer.lr", "0.1", "0.05"] in rows
    assert ["train_limit", "none", "1000"] in rows
    assert ["top-1, last epoch", "62.50 % (n = 100)"] in rows
    assert ["1", "0.1", "1.2500", "50.00 %", "1.2500", "50.00 %", "75.00 %", "", "", ""] in rows
    assert text.index("Not comparable") < text.index("What was found")


def test_the_recipe_as_published_says_so() -> None:
    text = single_run(result_of(HE2015_CIFAR), HE2015_CIFAR, ())
    assert "Not comparable" not in text
    assert "The recipe ran as published." in text
    assert "**Not comparable with published figures**: the data are CIFAR-10." in single_run(
        result_of(HE2015_CIFAR, official=False), HE2015_CIFAR, ()
    )


def test_a_run_that_diverged_says_where() -> None:
    broken = replace(
        result_of(HE2015_CIFAR), outcome=Ending.DIVERGED, diverged_at=31, measurements=(), epochs=()
    )
    text = single_run(broken, HE2015_CIFAR, ())
    assert "**diverged** at step 31" in text
    assert "curves.svg" not in text


def test_equal_figures_give_equal_bytes_and_others_do_not() -> None:
    loss, top1 = run_panels(EPOCHS)
    assert [line.name for line in loss.lines] == ["training", "validation", "test"]
    assert [list(line.y) for line in top1.lines] == [[50.0, 50.0], [50.0, 50.0], [62.5]]
    assert draw((loss, top1), "a") == draw(run_panels(EPOCHS), "a") != draw((top1, loss), "a")


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_forms(form: str, start: bytes) -> None:
    panel = Panel(
        title="t",
        x="x",
        y="y",
        lines=(Line(name="n", x=[1, 10], y=[2, 1]),),
        marks={"here": 3.0},
        logarithmic=True,
    )
    assert draw((panel,), "title", form=form).startswith(start)
