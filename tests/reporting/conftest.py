"""Fabricated results of the VOC suite: round figures that a test can recognise, in every shape a report meets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from resbench.results import Environment, Epoch, Measurement, Pass, Result, Statistic, Unit, plain
from resbench.specs import DataIdentity, Experiment, Precision, Recipe, Scale
from resbench.suites.voc_compare import SUITE
from resbench.training.recipes import VOC_ZJ2020

MODELS = ("resnet18_biased", "resnet34_biased", "resnet50")
COUNTS = {
    # Parameters, then counts by convention: of 1000 classes and of 20, each at 3x224x224.
    "resnet18_biased": (
        (11_693_352, 1_814_073_344, 3_641_143_296),
        (11_190_612, 1_813_571_584, 3_640_139_776),
    ),
    "resnet34_biased": (
        (21_805_224, 3_663_761_408, 7_348_045_824),
        (21_302_484, 3_663_259_648, 7_347_042_304),
    ),
    "resnet50": ((25_557_032, 4_089_184_256, 8_223_029_248), (23_549_012, 4_087_177_216, 8_219_015_168)),
}
PEERS = {
    "resnet18_biased": {
        "fvcore": 1_819_065_856,
        "ptflops-pytorch": 1_826_819_048,
        "ptflops-aten": 1_815_579_624,
    },
    "resnet34_biased": {
        "fvcore": 3_671_262_720,
        "ptflops-pytorch": 3_682_779_112,
        "ptflops-aten": 3_666_522_088,
    },
    "resnet50": {"fvcore": 4_111_512_576, "ptflops-pytorch": 4_132_436_968, "ptflops-aten": 4_089_185_256},
}

Fabricate = Callable[..., list[Result]]

ENVIRONMENT = Environment(
    machine={"cpu": "Example CPU 3000", "cores": "2", "memory": "8.0 GiB", "system": "Example Linux, x86_64"},
    software={"python": "3.11.7", "torch": "2.15.0", "resbench": "0.1.0"},
    settings={"threads": "2"},
    commit="0123456789abcdef0123456789abcdef01234567",
)


def _computed(metric: str, value: float, unit: Unit = Unit.ONE, method: str = "") -> Measurement:
    return Measurement(metric=metric, value=value, unit=unit, statistic=Statistic.COMPUTED, method=method)


def _costs(model: str, *, trained: bool) -> tuple[Measurement, ...]:
    parameters, core, table = COUNTS[model][trained]
    return (
        _computed("parameters", parameters),
        _computed("size", 4 * parameters, Unit.BYTE),
        _computed("macs", core, method="core"),
        _computed("flops", 2 * core, method="2 x core"),
        _computed("flops", table, method="voc-table"),
    )


def _profile(model: str, scale: Scale) -> Result:
    experiment = Experiment(
        model=model, device="cpu", precision=Precision.FP32, seed=0, scale=scale,
        profiling=SUITE.profiling, machine=ENVIRONMENT.machine_id,
    )  # fmt: skip
    measured = (
        *_costs(model, trained=False),
        *(_computed("macs", count, method=name) for name, count in PEERS[model].items()),
        Measurement(
            metric="latency", value=0.01734, low=0.01698, high=0.01791, n=50, unit=Unit.SECOND,
            statistic=Statistic.MEDIAN, method="one synchronised call after warm-up",
        ),
        Measurement(
            metric="peak_memory", value=135_000_000, unit=Unit.BYTE, statistic=Statistic.MAXIMUM,
            method="growth of a fresh process",
        ),
        Measurement(
            metric="throughput", value=57.31, low=55.9, high=58.4, n=10, unit=Unit.PER_SECOND,
            statistic=Statistic.MEDIAN, method="rounds of 3 calls back to back",
        ),
    )  # fmt: skip
    return _result(experiment, measured, (), "2026-01-02T03:00:00+00:00", 21.5)


def _passed(share: float, samples: int) -> Pass:
    return Pass(
        loss=3 - 2 * share, loss_of_batches=3 - 2 * share, top1=share - 0.01, top5=min(1.0, share + 0.2),
        top1_of_batches=share, top5_of_batches=min(1.0, share + 0.21), samples=samples, seconds=12.0,
    )  # fmt: skip


def _training(
    model: str, *, scale: Scale, seed: int, data: DataIdentity, recipe: Recipe, shares: Sequence[float]
) -> Result:
    experiment = Experiment(
        model=model, device="cpu", precision=Precision.FP32, seed=seed, scale=scale, recipe=recipe, data=data
    )
    epochs = tuple(
        Epoch(
            number=number,
            learning_rate=1e-3,
            train=_passed(0.95 * share, data.train_samples),
            test=_passed(share, data.test_samples),
        )
        for number, share in enumerate(shares, start=1)
    )
    tests = [epoch.test for epoch in epochs if epoch.test is not None]
    best, last = max(tests, key=lambda test: test.top1_of_batches), tests[-1]

    def share(metric: str, value: float, statistic: Statistic) -> Measurement:
        return Measurement(
            metric=metric, value=value, unit=Unit.ONE, statistic=statistic, n=data.test_samples
        )

    measured = (
        share("top1_published", best.top1_of_batches, Statistic.BEST),
        share("top5_published", best.top5_of_batches, Statistic.BEST),
        share("top1_strict", last.top1, Statistic.LAST),
        share("top5_strict", last.top5, Statistic.LAST),
        *_costs(model, trained=True),
    )
    return _result(experiment, measured, epochs, "2026-01-02T04:00:00+00:00", 754.0)


def _result(
    experiment: Experiment,
    measurements: tuple[Measurement, ...],
    epochs: tuple[Epoch, ...],
    started: str,
    seconds: float,
) -> Result:
    return Result(
        key=experiment.key, experiment=plain(experiment), measurements=measurements, environment=ENVIRONMENT,
        epochs=epochs, started=started, seconds=seconds,
    )  # fmt: skip


def fabricate(
    *,
    scale: Scale = Scale.SHORT,
    official: bool = False,
    seeds: Sequence[int] = (0,),
    models: Sequence[str] = MODELS,
    curve: Mapping[str, Sequence[float]] | None = None,
    length: int | None = 30,
) -> list[Result]:
    """Return a profile of each model and a training for each seed.

    Args:
        scale, official: of the experiments.
        seeds, models: one training each.
        curve: the as-published top-1 share of each epoch, by model; else three rising epochs.
        length: epochs of the recipe; None: the published recipe as it is.
    """
    data = DataIdentity(
        kind="voc_crops",
        label="VOC 07+12" if official else "VOC2012 subset (train / val)",
        official=official,
        fingerprint="f00d",
        classes=20,
        train_samples=40_058 if official else 1_873,
        test_samples=12_032 if official else 1_912,
        majority=0.3763,
    )
    recipe = VOC_ZJ2020
    if length is not None:
        recipe = replace(
            recipe, name=f"{recipe.name}-{scale}", schedule=replace(recipe.schedule, length=length, warmup=2)
        )
    rising = {
        model: (0.31 + 0.02 * place, 0.42 + 0.02 * place, 0.405 + 0.02 * place)
        for place, model in enumerate(MODELS)
    } | dict(curve or {})
    return [_profile(model, scale) for model in models] + [
        _training(model, scale=scale, seed=seed, data=data, recipe=recipe, shares=rising[model])
        for model in models
        for seed in seeds
    ]


@pytest.fixture(name="fabricate")
def _fabricate() -> Fabricate:
    return fabricate
