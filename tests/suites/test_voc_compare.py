import csv
from importlib import resources

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.plan import Kind
from resbench.catalog import find, gather
from resbench.reporting.published_curves import published_curves
from resbench.results import Statistic
from resbench.suites.voc_compare import SUITE
from resbench.units import giga, mebibytes

BY_NAME = gather("architectures", "ARCHITECTURES")
ARMS = [arm.model for arm in SUITE.arms]


def figure(model: str, metric: str) -> float:
    found = SUITE.chosen((model,))[0].figure(metric)
    assert found is not None
    return found.value


EXTRA = [arm.model for arm in SUITE.extra]


def test_the_catalogue_finds_it() -> None:
    assert find("suite", "suites", "SUITE", "voc_compare") is SUITE
    assert {*ARMS, *EXTRA} <= BY_NAME.keys()


@pytest.mark.parametrize("model", [*ARMS, *EXTRA])
def test_the_published_costs_follow_from_the_architecture(model: str) -> None:
    layers = layers_of(BY_NAME[model])
    size_B = 4 * sum(layer.parameters for layer in layers)
    macs = sum(layer.macs for layer in layers)
    biases = sum(layer.outputs for layer in layers if layer.kind is Kind.CONVOLUTION and layer.biases)
    normalised = sum(layer.outputs for layer in layers if layer.kind is Kind.BATCH_NORM)
    pooled = sum(
        layer.input_CHW[0] * (layer.input_CHW[1] * layer.input_CHW[2] + 1)
        for layer in layers
        # With DenseNet's three pools between blocks the sum would round to 5.733; published is 5.731.
        if layer.kind is Kind.AVERAGE_POOL and layer.output_CHW[1:] == (1, 1)
    )
    assert mebibytes(size_B) == mebibytes(figure(model, "size"))
    assert giga(2 * (macs + biases + 2 * normalised + pooled)) == giga(figure(model, "flops"))


@pytest.mark.parametrize("model", [*ARMS, *EXTRA])
@pytest.mark.parametrize(("metric", "field"), [("top1_published", "top1"), ("top5_published", "top5")])
def test_the_published_accuracy_is_the_best_test_epoch_of_the_curves(
    model: str, metric: str, field: str
) -> None:
    (curve,) = (found for found in published_curves(SUITE) if (found.model, found.phase) == (model, "test"))
    # The logs print per cent with four decimals, cut or rounded; the summary prints six.
    assert 100 * max(getattr(curve, field)) == pytest.approx(100 * figure(model, metric), abs=1e-4)


def test_the_curves_are_complete() -> None:
    curves = published_curves(SUITE)
    assert sorted((curve.model, curve.phase) for curve in curves) == sorted(
        (model, phase) for model in (*ARMS, *EXTRA) for phase in ("train", "test")
    )
    assert all(curve.epochs == tuple(range(1, 101)) for curve in curves)
    assert all(0 <= share <= 1 for curve in curves for share in (*curve.top1, *curve.top5))


def test_the_logged_learning_rate_is_the_recipes() -> None:
    """Warm-up 2e-4 to 1e-3 in five epochs, then down to about 1e-4."""
    text = (resources.files("resbench.suites") / SUITE.curves).read_text()
    rates = [float(row["lr"]) for row in csv.DictReader(text.splitlines()) if row["phase"] == "train"][:100]
    assert SUITE.recipe is not None
    optimizer, schedule = SUITE.recipe.optimizer, SUITE.recipe.schedule
    assert rates[: schedule.warmup] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3])
    assert max(rates) == optimizer.lr
    assert rates[-1] == pytest.approx(schedule.final_lr, rel=0.02)


def test_the_accuracies_say_how_they_came_about() -> None:
    for arm in SUITE.arms:
        for metric in ("top1_published", "top5_published"):
            found = arm.figure(metric)
            assert found is not None
            assert (found.statistic, found.n, found.test_samples) == (Statistic.BEST, 1, 12_032)
    assert [arm.label for arm in SUITE.arms] == ["ResNet-18", "ResNet-34", "ResNet-50"]
    printed = [[figure.printed for figure in arm.published] for arm in SUITE.arms]
    assert printed == [
        ["44.607 MB", "3.641 GFlops", "89.98%", "99.29%"],
        ["83.180 MB", "7.348 GFlops", "90.01%", "99.29%"],
        ["97.492 MB", "8.223 GFlops", "89.37%", "99.39%"],
    ]
