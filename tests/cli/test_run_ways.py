"""Which way each experiment of a suite is answered."""

from dataclasses import replace
from pathlib import Path

import pytest

from resbench.cli.run_request import Request
from resbench.cli.run_ways import run_by_data
from resbench.datasets.sample_cifar import open_cifar_sample
from resbench.errors import UsageError
from resbench.execution import in_process
from resbench.execution.progress import Silent
from resbench.specs import Engine, Experiment, Precision, Scale
from resbench.store.store import open_store
from resbench.training.recipes import HE2015_CIFAR

REQUEST = Request(
    suite="mine", scale="smoke", data=None, device="cuda", seed=0, seeds=1, models="", store="results.db", output=None,
    note="", settings=(), precision=None, engine=Engine(), together=1, processes=None,
)  # fmt: skip


def test_too_few_gpus_are_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_cifar_sample("cifar10")
    alone = Experiment(
        model="cifar_resnet20", device="cuda:0", precision=Precision.FP32, seed=0, scale=Scale.SMOKE,
        recipe=HE2015_CIFAR, data=data.identity,
    )  # fmt: skip

    def fail(*_given: object, **_ways: object) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr(in_process, "run", fail)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with (
        open_store(str(tmp_path / "results.db")) as store,
        pytest.raises(UsageError, match="2 processes need a GPU each, and there is 1"),
    ):
        run_by_data(REQUEST, [alone, replace(alone, processes=2)], [data], store, Silent())
