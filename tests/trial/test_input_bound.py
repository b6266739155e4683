"""Whether input sets the pace: a rate against a clock of numbers, a real pipeline, and the diagnosis that follows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resbench.datasets.opening import open_data
from resbench.errors import UsageError
from resbench.metrics.latency.diagnosis import Bound, Diagnosis
from resbench.metrics.latency.input_rate import input_rate
from resbench.results import Measurement, Statistic, Unit
from resbench.specs import Engine
from resbench.training import feeds
from resbench.training.recipes import VOC_ZJ2020
from resbench.training.run import open_feeds
from resbench.trial.case import Case
from resbench.trial.findings import Finding
from resbench.trial.input_bound import check_data, measure_input, with_input

CASE = Case(
    model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, batch_size=4, mode="training", threads=1
)


class Pipeline:
    """Batches of eight that take a tenth of a second each, the first one much longer."""

    def __init__(self) -> None:
        self.now = 0.0

    def batches(self, number: int) -> Iterator[list[int]]:
        for place in range(number):
            self.now += 0.1 if place else 5.0
            yield [0] * 8

    def clock(self) -> float:
        return self.now


def test_the_rate_is_that_of_preparing_without_the_start() -> None:
    made = Pipeline()
    found = input_rate(made.batches(100), "by a clock of numbers", seconds=1.0, clock=made.clock)
    assert (found.value, found.low, found.high) == pytest.approx((80.0, 80.0, 80.0))
    assert found.n == pytest.approx(10, abs=1)
    few = Pipeline()
    assert input_rate(few.batches(3), "", seconds=9.0, clock=few.clock).n == 2
    with pytest.raises(ValueError, match="two batches"):
        input_rate(Pipeline().batches(1), "")


def measured(metric: str, value: float, unit: Unit) -> Measurement:
    return Measurement(metric=metric, value=value, unit=unit, statistic=Statistic.MEDIAN)


FINDING = Finding(
    CASE,
    (measured("latency", 0.1, Unit.SECOND), measured("throughput", 40.0, Unit.PER_SECOND)),
    (),
    None,
    Diagnosis(Bound.DEVICE, "the device is busy"),
    None,
    "",
    0.0,
    (),
)


@pytest.mark.parametrize(("images_per_s", "bound"), [(39.0, Bound.INPUT), (41.0, Bound.DEVICE)])
def test_input_that_is_slower_than_the_network_sets_the_pace(images_per_s: float, bound: Bound) -> None:
    rate = replace(measured("input_rate", images_per_s, Unit.PER_SECOND), method="views")
    found = with_input(FINDING, rate)
    assert found.diagnosis is not None
    assert found.diagnosis.bound is bound
    assert (
        f"prepared at {images_per_s:.3g} images/s (views), the network takes 40 images/s"
        in found.diagnosis.evidence
    )
    assert found.find("input_rate") == rate


def test_input_as_timed_is_held_against_the_network_as_timed() -> None:
    """At its own pace the network takes 40 images/s; now the machine is at half of it, and so is the input."""
    timed = measured("latency_as_timed", 0.2, Unit.SECOND)
    rate = replace(measured("input_rate", 30.0, Unit.PER_SECOND), method="views")
    found = with_input(FINDING._replace(measurements=(*FINDING.measurements, timed)), rate)
    assert found.diagnosis is not None
    assert found.diagnosis.bound is Bound.DEVICE
    assert "the network takes 20 images/s" in found.diagnosis.evidence


def test_a_case_without_figures_stays_as_it_is() -> None:
    bare = FINDING._replace(measurements=(), diagnosis=None)
    assert with_input(bare, measured("input_rate", 1.0, Unit.PER_SECOND)) == bare


def test_the_built_in_sample_is_prepared_for_real() -> None:
    found = measure_input("cifar10", CASE, seconds=0.05)
    assert found.value > 0
    assert found.n >= 5
    assert "one process" in found.method


def test_a_store_is_built_where_training_would_build_one_and_training_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "cache_folder", lambda: tmp_path)
    said: list[str] = []
    case = replace(CASE, model="resnet18", input_CHW=(3, 224, 224))
    found = measure_input("voc", case, said.append, seconds=0.05)
    assert "feed store: " in found.method
    assert any(line.startswith("input: scaling pictures, ") for line in said)
    (built,) = tmp_path.rglob("*.pixels")
    written = built.stat().st_mtime_ns
    opened = open_feeds(open_data("voc0712", None), VOC_ZJ2020, Engine(), torch.device("cpu"))
    assert str(built) in opened.train.note
    assert built.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("asked", "case", "line"),
    [
        ("imagenet:x", CASE, "unknown data of --data 'imagenet'"),
        ("cifar10", replace(CASE, mode="inference"), "--data is about training"),
        ("cifar10", replace(CASE, input_CHW=(3, 16, 16)), "makes pictures of 3x32x32, and cifar_resnet20"),
        ("cifar10:/no/such", CASE, "there is no folder '/no/such'"),
    ],
)
def test_data_that_does_not_feed_the_cases_is_refused(asked: str, case: Case, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        check_data(asked, [case])
