"""Training as an experiment, on real pictures where they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from resbench.datasets.data import Data
from resbench.datasets.opening import open_data
from resbench.errors import UsageError
from resbench.results import Ending, Epoch, Pass, Result, Statistic
from resbench.specs import Engine, Experiment, Optimizer, Precision, Recipe, Scale
from resbench.store.formats import from_text, to_text
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.training.scales import at_scale
from resbench.training.watching import Unwatched
from resbench.trial.training import accuracies, open_run, settings_of, train, training_rate

SMOKE = at_scale(VOC_ZJ2020, Scale.SMOKE)


def answer(
    model: str, recipe: Recipe, data: Data, folder: Path, precision: Precision = Precision.FP32
) -> Result:
    experiment = Experiment(
        model=model,
        device="cpu",
        precision=precision,
        seed=0,
        scale=Scale.SMOKE,
        recipe=recipe,
        data=data.identity,
    )
    return train(experiment, data, workers=0, folder=folder, watch=Unwatched())


def a_pass(top1: float, top5: float, batches: float = 0.0, samples: int = 100, seconds: float = 2.0) -> Pass:
    return Pass(
        loss=1.0,
        loss_of_batches=1.0,
        top1=top1,
        top5=top5,
        top1_of_batches=top1 + batches,
        top5_of_batches=top5 + batches,
        samples=samples,
        seconds=seconds,
    )


EPOCHS = tuple(
    Epoch(number=number, learning_rate=0.1, train=a_pass(0.5, 0.9, samples=50 * number), test=test)
    for number, test in enumerate(
        (a_pass(0.50, 0.95, 0.01), a_pass(0.70, 0.80, 0.02), a_pass(0.60, 0.85, 0.03)), start=1
    )
)


def test_the_two_readings_by_hand() -> None:
    """As published: 0.72 of the second epoch and 0.96 of the first. Strict: 0.60 and 0.85 of the last."""
    found = {m.metric: (round(m.value, 6), m.statistic, m.n) for m in accuracies(EPOCHS)}
    assert found == {
        "top1_published": (0.72, Statistic.BEST, 100),
        "top5_published": (0.96, Statistic.BEST, 100),
        "top1_strict": (0.60, Statistic.LAST, 100),
        "top5_strict": (0.85, Statistic.LAST, 100),
    }


def test_the_best_epoch_on_the_test_set_is_called_a_diagnostic_with_what_it_adds() -> None:
    methods = {m.metric: m.method for m in accuracies(EPOCHS)}
    assert methods["top1_published"].startswith("diagnostic: the epoch is chosen on the test set")
    assert methods["top1_published"].endswith("+12.00 points over the last epoch")
    assert methods["top1_strict"] == ""


def test_a_test_set_that_was_read_once_has_no_best_epoch() -> None:
    once = (*(replace(epoch, test=None, validation=epoch.test) for epoch in EPOCHS[:-1]), EPOCHS[-1])
    assert [m.metric for m in accuracies(once)] == ["top1_strict", "top5_strict"]
    held_out = tuple(replace(epoch, validation=epoch.test) for epoch in once)
    assert [(m.metric, m.value) for m in accuracies(held_out)][2:] == [
        ("top1_validation", 0.60),
        ("top5_validation", 0.85),
    ]


def test_a_compiler_that_meets_no_whole_batch_is_called_unused(tmp_path: Path) -> None:
    data = open_data("cifar10", None)
    for limit, said in ((127, "unused: no batch is whole"), (128, "on")):
        asked = Experiment(
            model="cifar_resnet20",
            device="cpu",
            precision=Precision.FP32,
            seed=0,
            scale=Scale.SMOKE,
            recipe=replace(HE2015_CIFAR, train_limit=limit),
            data=data.identity,
        )
        run = open_run(asked, data, engine=Engine(compile=True), folder=tmp_path, watch=Unwatched())
        assert settings_of(run)["torch.compile"] == said


def test_a_run_that_diverged_is_a_result_without_an_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    recipe = replace(
        SMOKE,
        pictures=replace(SMOKE.pictures, resize=36, crop=32),
        optimizer=Optimizer(name="sgd", lr=1e20, weight_decay=0.0),
        train_limit=24,
        train_batch=12,
        test_limit=12,
    )
    result = answer("cifar_resnet20", recipe, open_data("voc0712", None), tmp_path / "run")
    assert (result.outcome, result.diverged_at, result.epochs) == (Ending.DIVERGED, 2, ())
    assert result.find("top1_strict") is None
    assert result.find("parameters") is not None
    assert from_text(to_text(result)) == result
    assert result.environment.settings["memory format"] == "channels_last"
    assert result.environment.settings["precision"] == "fp32"


def test_the_training_rate_is_the_median_of_the_epochs() -> None:
    rate = training_rate(EPOCHS)
    assert (rate.value, rate.n, rate.samples) == (50.0, 3, (25.0, 50.0, 75.0))


def test_real_crops_train_and_test(real_data: Path, tmp_path: Path) -> None:
    recipe = replace(
        SMOKE,
        pictures=replace(SMOKE.pictures, resize=36, crop=32),
        schedule=replace(SMOKE.schedule, length=3),
        train_batch=24,
    )
    result = answer("cifar_resnet20", recipe, open_data("voc0712", real_data), tmp_path)
    assert result.experiment["data"]["label"].startswith("VOC2012 train / val, a subset")
    assert not result.experiment["data"]["official"]
    losses = [epoch.train.loss for epoch in result.epochs]
    assert losses == sorted(losses, reverse=True)
    parameters = result.find("parameters")
    # Table 6's network less the ten-class head (64 x 10 + 10), plus one for twenty classes (64 x 20 + 20).
    assert parameters is not None
    assert parameters.value == 269_722 - 650 + 1_300


def test_the_cifar_recipe_learns_on_real_pictures(real_data: Path, tmp_path: Path) -> None:
    """Forty iterations of batch 128 on 2,560 pictures: twice what guessing scores."""
    recipe = replace(
        HE2015_CIFAR,
        schedule=replace(HE2015_CIFAR.schedule, length=40, milestones=(32, 36)),
        train_limit=2_560,
        test_limit=640,
    )
    result = answer("cifar_resnet20", recipe, open_data("cifar10", real_data), tmp_path)
    assert [epoch.train.samples for epoch in result.epochs] == [2_560, 2_560]
    top1 = result.find("top1_strict")
    assert top1 is not None
    assert top1.value > 0.2


def test_precisions_that_training_has_not_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match="'fp16' is for GPUs"):
        answer("cifar_resnet20", SMOKE, open_data("voc0712", None), tmp_path, Precision.FP16)


def test_other_data_than_the_experiments_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    data = open_data("voc0712", None)
    experiment = Experiment(
        model="cifar_resnet20",
        device="cpu",
        precision=Precision.FP32,
        seed=0,
        scale=Scale.SMOKE,
        recipe=SMOKE,
        data=replace(data.identity, fingerprint="another"),
    )
    with pytest.raises(ValueError, match="the data its experiment names"):
        train(experiment, data, workers=0, folder=tmp_path, watch=Unwatched())


def test_an_experiment_over_two_processes_is_not_answered_by_one(tmp_path: Path) -> None:
    data = open_data("cifar10", None)
    experiment = Experiment(
        model="cifar_resnet20",
        device="cpu",
        precision=Precision.FP32,
        seed=0,
        scale=Scale.SMOKE,
        recipe=at_scale(HE2015_CIFAR, Scale.SMOKE),
        data=data.identity,
        processes=2,
    )
    with pytest.raises(UsageError, match=r"splits each batch over 2 processes, but 1 run.*--processes 2"):
        train(experiment, data, workers=0, folder=tmp_path, watch=Unwatched())
